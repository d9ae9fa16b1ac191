// Delays in a list have units.
use resilience::retry;

#[retry(backoff = [100, 200])]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
