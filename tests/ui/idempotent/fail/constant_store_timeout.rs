// A constant of no time for the store.
use std::time::Duration;

use resilience::{Rejected, idempotent};

const NONE: Duration = Duration::ZERO;

#[idempotent(key = id, scope = "global", store_timeout = NONE)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
