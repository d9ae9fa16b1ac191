// A constant beside the default.
use std::time::Duration;

use resilience::{Rejected, idempotent};

const SHORT: Duration = Duration::from_secs(10);

#[idempotent(key = id, scope = "global", ttl = SHORT)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
