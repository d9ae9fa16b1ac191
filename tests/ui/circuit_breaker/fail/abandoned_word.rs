// A dropped call is one of two things.
use resilience::circuit_breaker;

#[circuit_breaker(on_cancel = "success")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
