// However much else is said.
use resilience::{Rejected, idempotent};

#[idempotent(scope = "global", ttl = "1h", keep = "ok")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
