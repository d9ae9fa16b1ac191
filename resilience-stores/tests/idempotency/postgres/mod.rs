//! PostgreSQL.

mod clocks;
mod conflicts;
mod lost;
mod pgbouncer;
mod privileges;
mod purge;
mod restarts;
mod slow;

use resilience::stores::PostgresStore;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::servers::Postgres;

mod conformance {
    use super::*;

    async fn store() -> PostgresStore {
        let server = Postgres::shared().unwrap();
        let pool = PgPoolOptions::new().max_connections(8).connect(&server.url()).await.unwrap();
        let store = PostgresStore::new(pool);
        store.migrate().await.unwrap();
        store
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
