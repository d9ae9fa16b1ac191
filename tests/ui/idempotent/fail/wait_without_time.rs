// Waiting needs to know for how long.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", concurrent = wait)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
