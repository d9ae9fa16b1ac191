// Every key with a literal that it cannot have.
use resilience::{Rejected, idempotent};

#[idempotent(
    key = id,
    scope = "global",
    ttl = 24,
    lease = "30",
    store_timeout = true,
    version = "1",
    min_key_length = -1,
    max_outcome = "256KiB",
    name = charge,
    store = "redis",
    on = true,
    error = "no"
)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
