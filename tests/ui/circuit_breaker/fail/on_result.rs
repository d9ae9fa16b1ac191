// `on` answers with a class.
use resilience::circuit_breaker;

#[circuit_breaker(on = |_| 5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
