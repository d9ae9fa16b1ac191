//! `transaction` needs an async function, and a store that can take part.

use std::sync::Arc;

use resilience::idempotent::MemoryStore;
use resilience::{Rejected, idempotent};

struct Connection;

#[idempotent(key = id, scope = "global", store = store, transaction = tx)]
fn in_a_sync_function(
    tx: &mut Connection,
    store: &Arc<MemoryStore>,
    id: u64,
) -> Result<u64, Rejected> {
    Ok(id)
}

#[idempotent(key = id, scope = "global", transaction = tx)]
async fn without_a_store(tx: &mut Connection, id: u64) -> Result<u64, Rejected> {
    Ok(id)
}

fn main() {}
