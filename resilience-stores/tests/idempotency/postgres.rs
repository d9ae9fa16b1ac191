//! PostgreSQL.

use resilience::stores::PostgresStore;
use sqlx::postgres::PgPoolOptions;

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

    resilience::store_conformance!(store);
}
