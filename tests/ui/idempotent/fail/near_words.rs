// Words that are nearly right.
use resilience::{Rejected, idempotent};

#[idempotent(
    key = id,
    scope = "global",
    keep = okay,
    on_interrupted = "reran",
    concurrent = rejected,
    on_store_error = fail_close,
    on_lease_lost = cancle,
    on_unsaved = "retrun"
)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
