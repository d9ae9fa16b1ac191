// A timeout without a time.
use resilience::timeout;

#[timeout]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
