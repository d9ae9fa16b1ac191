// Nothing would be remembered.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", ttl = "0s")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
