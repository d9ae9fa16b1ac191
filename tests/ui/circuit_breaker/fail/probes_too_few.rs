// As many probes as successes are needed.
use resilience::circuit_breaker;

#[circuit_breaker(success_threshold = 3, half_open_calls = 2)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
