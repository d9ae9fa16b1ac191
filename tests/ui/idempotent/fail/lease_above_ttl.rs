// A lease ends before the record does.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", ttl = "10s", lease = "10s")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
