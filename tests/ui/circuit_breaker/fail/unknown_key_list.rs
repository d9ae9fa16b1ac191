// An unknown key near none gets the list.
use resilience::circuit_breaker;

#[circuit_breaker(colour = 5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
