// The lease that is not written counts too.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", ttl = "30s")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
