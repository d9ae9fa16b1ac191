// A window needs something to count.
use resilience::circuit_breaker;

#[circuit_breaker(window = 20)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
