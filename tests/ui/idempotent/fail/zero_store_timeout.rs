// No store answers in no time.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", store_timeout = "0s")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
