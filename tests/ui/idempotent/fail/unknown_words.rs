// Words that no choice has.
use resilience::{Rejected, idempotent};

#[idempotent(
    key = id,
    scope = "global",
    keep = everything,
    on_interrupted = retry,
    concurrent = queue,
    on_store_error = panic,
    on_lease_lost = stop,
    on_unsaved = "raise"
)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
