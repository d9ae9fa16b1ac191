// A fallback leaves nothing to count.
use resilience::{circuit_breaker, fallback};

#[circuit_breaker]
#[fallback(value = 7)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
