// Two keys are kept apart by a comma.
use resilience::retry;

#[retry(attempts = 3 jitter)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
