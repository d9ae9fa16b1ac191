// The same for constants.
use resilience::retry;

const BASE: std::time::Duration = std::time::Duration::from_secs(20);

#[retry(base_delay = BASE, max_delay = "10s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
