// The two stand in quotes.
use resilience::circuit_breaker;

#[circuit_breaker(on_cancel = failure)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
