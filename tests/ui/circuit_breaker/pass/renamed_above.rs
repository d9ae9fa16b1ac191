// A renamed import above finds its sibling, and the order is as written.
use std::cell::Cell;

use resilience::{circuit_breaker, retry as again};

#[again(attempts = 3, base_delay = "1ms")]
#[circuit_breaker(failure_threshold = 3)]
fn call(calls: &Cell<u32>) -> Result<(), ()> {
    calls.set(calls.get() + 1);
    Err(())
}

fn main() {
    let calls = Cell::new(0);
    let outcomes = [call(&calls), call(&calls)];
    assert_eq!((outcomes, calls.get()), ([Err(()), Err(())], 3));
}
