// Both are missing.
use resilience::{Rejected, idempotent};

#[idempotent]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
