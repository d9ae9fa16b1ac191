// Words that need the function which they stand for.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", keep = with, on_interrupted = reconcile)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
