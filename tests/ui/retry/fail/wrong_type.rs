// `attempts` is a whole number.
use resilience::retry;

#[retry(attempts = 1.5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
