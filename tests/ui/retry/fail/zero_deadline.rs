// A deadline of zero allows nothing.
use resilience::retry;

#[retry(deadline = "0s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
