//! PostgreSQL.

mod clocks;
mod conflicts;
mod duplicates;
mod lost;
mod pgbouncer;
mod plans;
mod privileges;
mod purge;
mod restarts;
mod round_trips;
mod silent;
mod slow;

use std::sync::Arc;

use resilience::idempotent::{DynStore, MemoryStore};
use resilience::stores::PostgresStore;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::servers::Postgres;

mod conformance {
    use super::*;

    /// Falls back to the memory store if PostgreSQL is missing; the skip has been reported.
    async fn store() -> Arc<dyn DynStore> {
        let Some(server) = Postgres::shared() else { return Arc::new(MemoryStore::new()) };
        Arc::new(open(&server.url(), 8).await)
    }

    resilience::store_conformance!(store, keys = crate::races());
}

/// Opens the records of this server, or of a proxy before the server.
async fn open(url: &str, connections: u32) -> PostgresStore {
    let options: PgConnectOptions = url.parse().unwrap();
    open_with(options, connections).await
}

/// Connections are not tested before use, so that a step meets the failure first.
async fn open_with(options: PgConnectOptions, connections: u32) -> PostgresStore {
    let pool = PgPoolOptions::new().max_connections(connections).test_before_acquire(false);
    let store = PostgresStore::with_own_pool(pool.connect_with(options).await.unwrap());
    store.migrate().await.unwrap();
    store
}

/// Waits until all used connections are back in the pool.
async fn until_idle(pool: &PgPool) {
    while pool.num_idle() < pool.size() as usize {
        tokio::task::yield_now().await;
    }
}
