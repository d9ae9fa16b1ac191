// One breaker from elsewhere is not one for each key.
use resilience::{CircuitBreaker, circuit_breaker};

static SHARED: CircuitBreaker = CircuitBreaker::new();

#[circuit_breaker(breaker = &SHARED, key = id)]
fn call(id: &str) -> Result<(), ()> {
    Err(drop(id))
}

fn main() {
    let _ = call("a");
}
