// An unknown key near a known one gets a suggestion.
use resilience::circuit_breaker;

#[circuit_breaker(failure_treshold = 5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
