// Constants keep the same rule.
use std::time::Duration;

use resilience::{Rejected, idempotent};

const SHORT: Duration = Duration::from_secs(10);
const LONG: Duration = Duration::from_secs(60);

#[idempotent(key = id, scope = "global", ttl = SHORT, lease = LONG)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
