// A key needs its value.
use resilience::{Rejected, idempotent};

#[idempotent(key, scope)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
