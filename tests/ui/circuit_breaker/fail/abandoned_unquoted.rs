// The two stand in quotes.
use resilience::circuit_breaker;

#[circuit_breaker(abandoned = failure)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
