// The word stands alone.
use resilience::{Rejected, idempotent};

#[idempotent(key = Some(id), scope = "global", optional_key = true)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
