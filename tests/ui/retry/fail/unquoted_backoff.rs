// A built-in backoff is quoted; a path is one of your own.
use resilience::retry;

#[retry(backoff = exponential)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
