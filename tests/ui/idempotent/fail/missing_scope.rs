// The same key of two tenants is not the same.
use resilience::{Rejected, idempotent};

#[idempotent(key = id)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
