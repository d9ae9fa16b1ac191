//! What every store has to do.

use std::sync::Arc;

use resilience::idempotent::{DynStore, MemoryStore};

use crate::servers::Redis;
use crate::store_of;

/// The memory store where there is no Redis, which has been said by then.
async fn store() -> Arc<dyn DynStore> {
    match Redis::shared() {
        Some(server) => Arc::new(store_of(server).await),
        None => Arc::new(MemoryStore::new()),
    }
}

resilience::store_conformance!(store, keys = 200);
