// A duration has a unit, in quotes too.
use resilience::retry;

#[retry(max_delay = "250")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
