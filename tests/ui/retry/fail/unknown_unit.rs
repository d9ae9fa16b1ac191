// A unit is one of a few.
use resilience::retry;

#[retry(deadline = "5 minutes")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
