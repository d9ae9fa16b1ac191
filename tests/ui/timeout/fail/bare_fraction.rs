// A fraction has no unit either.
use resilience::timeout;

#[timeout(1.5)]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
