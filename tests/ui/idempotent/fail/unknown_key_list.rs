// A key like no other.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", colour = "red")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
