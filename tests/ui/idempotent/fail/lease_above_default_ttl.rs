// So does the time to live.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", lease = "2d")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
