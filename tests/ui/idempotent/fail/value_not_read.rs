// To be written is not enough.
use resilience::{Rejected, idempotent};

#[derive(serde::Serialize)]
struct Receipt;

#[idempotent(key = id, scope = "global")]
async fn call(id: &str) -> Result<Receipt, Rejected> {
    drop(id);
    Ok(Receipt)
}

fn main() {
    drop(call("a"));
}
