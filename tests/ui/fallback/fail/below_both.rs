// A fallback below both is told once.
use resilience::{circuit_breaker, fallback, retry};

#[retry]
#[circuit_breaker]
#[fallback(value = 7)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
