// A policy has its own settings.
use resilience::{Rejected, idempotent};

use resilience::idempotent::IdempotencyPolicy;

static CHARGE: IdempotencyPolicy = IdempotencyPolicy::new("charge");

#[idempotent(key = id, scope = "global", policy = CHARGE, ttl = "1h", concurrent = "reject", on_interrupted = "unknown", name = "x")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
