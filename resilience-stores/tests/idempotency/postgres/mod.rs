//! PostgreSQL.

mod clocks;
mod conflicts;
mod lost;
mod pgbouncer;
mod privileges;
mod purge;
mod restarts;
mod slow;

use std::sync::Arc;

use resilience::idempotent::{DynStore, MemoryStore};
use resilience::stores::PostgresStore;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::servers::Postgres;

mod conformance {
    use super::*;

    /// The memory store where there is no PostgreSQL, which has been said by then.
    async fn store() -> Arc<dyn DynStore> {
        let Some(server) = Postgres::shared() else { return Arc::new(MemoryStore::new()) };
        Arc::new(open(&server.url(), 8).await)
    }

    resilience::store_conformance!(store, keys = crate::races());
}

/// The records of this server, or of the proxy before it.
async fn open(url: &str, connections: u32) -> PostgresStore {
    let options: PgConnectOptions = url.parse().unwrap();
    open_with(options, connections).await
}

/// Connections are not asked how they are before they are used, so that a step is the first to find out.
async fn open_with(options: PgConnectOptions, connections: u32) -> PostgresStore {
    let pool = PgPoolOptions::new().max_connections(connections).test_before_acquire(false);
    let store = PostgresStore::new(pool.connect_with(options).await.unwrap());
    store.migrate().await.unwrap();
    store
}

/// Until the connections are back that have been used.
async fn until_idle(pool: &PgPool) {
    while pool.num_idle() < pool.size() as usize {
        tokio::task::yield_now().await;
    }
}
