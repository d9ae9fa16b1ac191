// A function that returns nothing cannot fail.
use resilience::circuit_breaker;

#[circuit_breaker]
fn call() {}

fn main() {
    call();
}
