// One record is enough.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global")]
#[idempotent(step = "again")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
