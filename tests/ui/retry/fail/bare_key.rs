// A key that needs a value.
use resilience::retry;

#[retry(attempts)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
