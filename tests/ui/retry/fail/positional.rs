// There are no values without a key.
use resilience::retry;

#[retry(3)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
