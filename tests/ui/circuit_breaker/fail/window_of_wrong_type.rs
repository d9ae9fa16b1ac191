// A window is a number of calls or a time.
use resilience::circuit_breaker;

#[circuit_breaker(failure_rate = 0.5, window = 1.5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
