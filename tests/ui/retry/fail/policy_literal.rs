// A policy is a `RetryPolicy`.
use resilience::retry;

#[retry(policy = "default")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
