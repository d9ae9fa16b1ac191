// Two retries multiply.
use resilience::retry;

#[retry]
#[retry(attempts = 2)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
