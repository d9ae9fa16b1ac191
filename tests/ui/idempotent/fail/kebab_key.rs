// Keys are written with underscores.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", on-interrupted = rerun)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
