// A policy is no name.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", policy = "charge")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
