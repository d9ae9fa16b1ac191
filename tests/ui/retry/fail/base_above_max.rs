// The first delay is no longer than the longest.
use resilience::retry;

#[retry(base_delay = "20s", max_delay = "10s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
