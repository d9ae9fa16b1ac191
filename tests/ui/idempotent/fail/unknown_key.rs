// A slip of the pen.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", leese = "30s", optional_keys)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
