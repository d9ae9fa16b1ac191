// A hint takes over a value that would do.
use resilience::{Rejected, idempotent};

#[idempotent(
    idempotency_key = id,
    tenant = id,
    expires_after_seconds = 3600,
    lock_timeout = "1m"
)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
