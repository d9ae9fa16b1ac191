// A time in quotes needs its unit.
use resilience::circuit_breaker;

#[circuit_breaker(failure_rate = 0.5, window = "10")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
