// Each attribute of a stack reports its own.
use resilience::{retry, timeout};

#[retry(attempts = 0)]
#[timeout(5)]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
