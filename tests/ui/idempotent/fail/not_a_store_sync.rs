// The same of a function that is not async: one mistake.
use std::sync::Arc;

use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", store = store)]
fn call(id: &str, #[skip] store: Arc<String>) -> Result<(), Rejected> {
    Ok(drop((id, store)))
}

fn main() {
    let _ = call("a", Arc::default());
}
