// A fingerprint is a list.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", fingerprint = id.len())]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
