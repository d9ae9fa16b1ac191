// Keys that exclude each other: both are named.
use resilience::retry;

#[retry(backoff = ["1s"], base_delay = "1s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
