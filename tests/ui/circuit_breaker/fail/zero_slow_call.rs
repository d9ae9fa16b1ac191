// Every call would be slow.
use resilience::circuit_breaker;

#[circuit_breaker(slow_call = "0s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
