// The number has a key.
use resilience::rate_limit;

#[rate_limit(100)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
