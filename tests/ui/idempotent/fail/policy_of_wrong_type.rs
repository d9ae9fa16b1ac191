// A policy from elsewhere is one.
use resilience::{Rejected, idempotent};

static CHARGE: u32 = 7;

#[idempotent(key = id, scope = "global", policy = CHARGE)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
