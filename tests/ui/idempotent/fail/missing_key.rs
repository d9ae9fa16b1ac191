// Nobody knows a repeated call without a key.
use resilience::{Rejected, idempotent};

#[idempotent(scope = "global")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
