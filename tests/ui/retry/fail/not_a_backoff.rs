// A custom backoff is a `Backoff`.
use resilience::retry;

struct Delays;

#[retry(backoff = Delays)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
