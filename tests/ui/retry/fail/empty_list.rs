// A list has delays.
use resilience::retry;

#[retry(backoff = [])]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
