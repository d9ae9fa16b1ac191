// Keys have underscores.
use resilience::circuit_breaker;

#[circuit_breaker(failure-threshold = 5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
