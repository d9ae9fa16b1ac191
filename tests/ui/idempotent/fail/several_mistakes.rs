// All mistakes at once.
use resilience::{Rejected, idempotent};

#[idempotent(scope = "global", ttl = 1, keep = oks)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
