//! The conformance suite.

use std::sync::Arc;

use resilience::idempotent::{DynStore, MemoryStore};

use super::store_of;
use crate::servers::Redis;

/// Falls back to the memory store if Redis is missing; the skip has been reported.
async fn store() -> Arc<dyn DynStore> {
    match Redis::shared() {
        Some(server) => Arc::new(store_of(server).await),
        None => Arc::new(MemoryStore::new()),
    }
}

resilience::store_conformance!(store, keys = 200);
