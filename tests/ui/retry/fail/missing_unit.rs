// A duration has a unit.
use resilience::retry;

#[retry(max_delay = 250)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
