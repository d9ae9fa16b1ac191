// Jitter is no switch.
use resilience::retry;

#[retry(jitter = true)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
