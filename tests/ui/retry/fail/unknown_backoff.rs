// Backoffs by name.
use resilience::retry;

#[retry(backoff = "expo")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
