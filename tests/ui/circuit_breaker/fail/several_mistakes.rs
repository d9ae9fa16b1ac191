// All mistakes are reported together.
use resilience::circuit_breaker;

#[circuit_breaker(failure_rate = 50, reset_timeout = 30, windw = 10, success_threshold = 0)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
