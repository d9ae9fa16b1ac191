// How long is no kind of waiting.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", concurrent = "5s")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
