// A constant share out of its range.
use resilience::circuit_breaker;

const PERCENT: f64 = 50.0;

#[circuit_breaker(failure_rate = PERCENT)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
