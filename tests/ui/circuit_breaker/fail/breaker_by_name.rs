// A breaker is no name.
use resilience::circuit_breaker;

#[circuit_breaker(breaker = "payments")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
