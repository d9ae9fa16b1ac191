// What processes share has a name, and it is not that of a `static`.
use resilience::{CircuitBreaker, circuit_breaker};

static PAYMENTS: CircuitBreaker = CircuitBreaker::new();

#[circuit_breaker(shared = &PAYMENTS)]
fn borrowed() -> Option<()> {
    None
}

#[circuit_breaker(shared)]
fn bare() -> Option<()> {
    None
}

#[circuit_breaker(shared = true)]
fn boolean() -> Option<()> {
    None
}

#[circuit_breaker(shared = "")]
fn empty() -> Option<()> {
    None
}

fn main() {
    let _ = (borrowed(), bare(), boolean(), empty());
}
