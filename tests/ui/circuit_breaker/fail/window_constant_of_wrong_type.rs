// A constant window is a `u32` or a `Duration`.
use resilience::circuit_breaker;

const SIZE: usize = 100;

#[circuit_breaker(failure_rate = 0.5, window = SIZE)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
