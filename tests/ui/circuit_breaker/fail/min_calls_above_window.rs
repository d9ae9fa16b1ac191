// The minimum must fit into the window.
use resilience::circuit_breaker;

#[circuit_breaker(failure_rate = 0.5, window = 10, min_calls = 20)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
