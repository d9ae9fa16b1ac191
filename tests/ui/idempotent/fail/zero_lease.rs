// Every call would count as dead.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", lease = "0ms")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
