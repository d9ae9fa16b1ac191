// A time has a unit.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", concurrent = wait(5))]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
