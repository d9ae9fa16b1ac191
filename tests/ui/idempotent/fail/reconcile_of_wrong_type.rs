// What finds out says what it found.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", on_interrupted = reconcile(|_| async { true }))]
async fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    drop(call("a"));
}
