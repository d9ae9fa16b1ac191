// A repetition returns what was stored.
use resilience::{Rejected, idempotent};

struct Receipt;

#[idempotent(key = id, scope = "global")]
fn call(id: &str) -> Result<Receipt, Rejected> {
    drop(id);
    Ok(Receipt)
}

fn main() {
    let _ = call("a");
}
