// All mistakes are reported together.
use resilience::retry;

#[retry(atempts = 4, max_delay = 250, jitter = true)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
