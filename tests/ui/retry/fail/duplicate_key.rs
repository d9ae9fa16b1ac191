// A key stands once.
use resilience::retry;

#[retry(attempts = 4, attempts = 5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
