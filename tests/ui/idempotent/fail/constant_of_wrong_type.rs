// Constants of other types.
use resilience::{Rejected, idempotent};

const HOURS: u64 = 24;
const LENGTH: usize = 15;

#[idempotent(key = id, scope = "global", ttl = HOURS, min_key_length = LENGTH)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
