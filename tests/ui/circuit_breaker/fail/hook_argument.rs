// `on_state_change` takes the change.
use resilience::circuit_breaker;

#[circuit_breaker(on_state_change = |from, to| drop((from, to)))]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
