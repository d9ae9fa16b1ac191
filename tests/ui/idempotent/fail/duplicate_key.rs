// A key stands once.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", ttl = "1h", ttl = "2h")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
