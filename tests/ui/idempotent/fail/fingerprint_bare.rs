// A fingerprint is of something.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", fingerprint)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
