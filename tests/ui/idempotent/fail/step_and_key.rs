// A step has the key of the call around it.
use resilience::{Rejected, idempotent};

#[idempotent(step = "charge", key = id, scope = "global", optional_key)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
