// A jitter ratio is between 0 and 1.
use resilience::retry;

#[retry(jitter = 5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
