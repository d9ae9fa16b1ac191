// A breaker from elsewhere has its own settings.
use resilience::{CircuitBreaker, circuit_breaker};

static SHARED: CircuitBreaker = CircuitBreaker::new();

#[circuit_breaker(breaker = &SHARED, failure_threshold = 5, name = "payments")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
