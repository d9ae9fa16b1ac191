// The threshold must fit into the window.
use resilience::circuit_breaker;

#[circuit_breaker(failure_threshold = 11, window = 10)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
