// A minimum for a rate needs a rate.
use resilience::circuit_breaker;

#[circuit_breaker(min_calls = 10)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
