// No time to run.
use resilience::timeout;

#[timeout("0s")]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
