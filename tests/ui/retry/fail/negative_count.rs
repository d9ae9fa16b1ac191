// A negative number is none.
use resilience::retry;

#[retry(attempts = -1)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
