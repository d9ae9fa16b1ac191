// A circuit that opens for no time.
use resilience::circuit_breaker;

#[circuit_breaker(reset_timeout = "0s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
