// Delays do not shrink.
use resilience::retry;

#[retry(factor = 0.5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
