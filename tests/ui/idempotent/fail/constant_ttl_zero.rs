// A record that is kept for no time.
use std::time::Duration;

use resilience::{Rejected, idempotent};

const NONE: Duration = Duration::ZERO;

#[idempotent(key = id, scope = "global", ttl = NONE)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
