// What stands in for an outcome is none.
use resilience::{Rejected, fallback, idempotent};

#[idempotent(key = id, scope = "global")]
#[fallback(value = ())]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
