// A rate and its period are two keys.
use resilience::rate_limit;

#[rate_limit(rate = "100/s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
