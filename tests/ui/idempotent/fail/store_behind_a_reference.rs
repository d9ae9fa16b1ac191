// A reference is no handle that could outlive the call.
use std::sync::Arc;

use resilience::idempotent::MemoryStore;
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = global, store = store)]
async fn call(id: &str, #[skip] store: &Arc<MemoryStore>) -> Result<(), Rejected> {
    Ok(drop((id, store)))
}

fn main() {
    drop(call("a", &Arc::default()));
}
