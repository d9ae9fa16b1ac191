// The first call is part of the burst.
use resilience::rate_limit;

#[rate_limit(rate = 10, burst = 0)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
