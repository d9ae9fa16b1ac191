// Only exponential delays have a factor.
use resilience::retry;

#[retry(backoff = "fixed", factor = 3)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
