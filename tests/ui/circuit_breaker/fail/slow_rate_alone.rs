// A share of slow calls needs to know what is slow.
use resilience::circuit_breaker;

#[circuit_breaker(slow_rate = 0.8)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
