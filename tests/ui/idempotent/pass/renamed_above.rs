// A renamed import above finds its sibling, and the order is as written.
use std::cell::Cell;

use resilience::{Rejected, idempotent as once, retry};

#[once(key = 1, scope = "global")]
#[retry(attempts = 3, base_delay = "1ms")]
fn call(#[skip] calls: &Cell<u32>) -> Result<u32, Rejected> {
    calls.set(calls.get() + 1);
    if calls.get() < 3 { Err(Rejected::timed_out("call", std::time::Duration::ZERO)) } else { Ok(7) }
}

fn main() {
    let calls = Cell::new(0);
    let outcomes = [call(&calls), call(&calls)];
    assert_eq!((outcomes, calls.get()), ([Ok(7), Ok(7)], 3));
}
