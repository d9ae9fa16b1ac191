// A number in quotes is no number.
use resilience::retry;

#[retry(attempts = "4")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
