// A store that is not in the database of the transaction: one error, at the store.
use std::sync::Arc;

use resilience::idempotent::MemoryStore;
use resilience::{Rejected, idempotent};

struct Connection;

struct Bank {
    store: Arc<MemoryStore>,
}

impl Bank {
    #[idempotent(key = id, scope = "global", store = self.store, transaction = tx, name = "bank.pay")]
    async fn pay(&self, tx: &mut Connection, id: u64) -> Result<u64, Rejected> {
        let Connection = tx;
        Ok(1)
    }
}

static STORE: MemoryStore = MemoryStore::new();

#[idempotent(key = id, scope = "global", store = STORE, transaction = tx)]
async fn pay(tx: &mut Connection, id: u64) -> Result<u64, Rejected> {
    let Connection = tx;
    Ok(1)
}

fn main() {}
