// The names of other libraries get a hint.
use resilience::retry;

#[retry(max_retries = 3, multiplier = 1.5, timeout = "5s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
