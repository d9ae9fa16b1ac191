// A window of no time.
use resilience::circuit_breaker;

#[circuit_breaker(failure_rate = 0.5, window = "0s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
