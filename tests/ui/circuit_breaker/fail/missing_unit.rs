// A number is no duration.
use resilience::circuit_breaker;

#[circuit_breaker(reset_timeout = 30)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
