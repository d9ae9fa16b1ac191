// Failures that are kept are stored too.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", keep = "ok_and_permanent")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
