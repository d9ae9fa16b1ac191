// The first call is an attempt.
use resilience::retry;

#[retry(attempts = 0)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
