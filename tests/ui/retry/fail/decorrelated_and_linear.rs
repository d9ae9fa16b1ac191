// Decorrelated delays grow by themselves.
use resilience::retry;

#[retry(backoff = "linear", jitter = "decorrelated")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
