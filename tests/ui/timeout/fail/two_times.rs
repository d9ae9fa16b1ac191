// One time.
use resilience::timeout;

#[timeout("5s", "10s")]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
