// A value is no list of names.
use resilience::retry;

#[retry(attempts(3))]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
