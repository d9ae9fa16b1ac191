// Nor the name of a unit.
use resilience::timeout;

#[timeout(seconds = 5)]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
