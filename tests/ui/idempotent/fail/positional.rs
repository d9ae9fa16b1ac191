// A key has its name.
use resilience::{Rejected, idempotent};

#[idempotent(id, scope = "global")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
