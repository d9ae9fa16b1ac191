// A constant has the type of its key.
use resilience::retry;

const SECONDS: u64 = 5;

#[retry(max_delay = SECONDS)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
