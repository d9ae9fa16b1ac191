// A number has no unit.
use resilience::timeout;

#[timeout(5)]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
