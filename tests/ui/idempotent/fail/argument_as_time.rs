// What is known at run time comes as a policy.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", ttl = id.parse())]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
