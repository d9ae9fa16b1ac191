// One for each key cannot be shared, and one from elsewhere has its own word for it.
use resilience::{CircuitBreaker, circuit_breaker};

static PAYMENTS: CircuitBreaker = CircuitBreaker::new().shared("payments");

#[circuit_breaker(shared = "hosts", key = host)]
fn by_key(host: &str) -> Option<()> {
    host.is_empty().then_some(())
}

#[circuit_breaker(breaker = PAYMENTS, shared = "payments")]
fn elsewhere() -> Option<()> {
    None
}

#[circuit_breaker(distributed = true)]
fn other_name() -> Option<()> {
    None
}

fn main() {
    let _ = (by_key(""), elsewhere(), other_name());
}
