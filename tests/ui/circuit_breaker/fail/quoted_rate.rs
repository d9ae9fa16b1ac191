// A share has no percent sign.
use resilience::circuit_breaker;

#[circuit_breaker(failure_rate = "50%")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
