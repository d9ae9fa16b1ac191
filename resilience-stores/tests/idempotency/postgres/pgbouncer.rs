//! `PgBouncer`, which gives a client a connection for a session, or for a transaction only.

use std::sync::Arc;

use resilience::idempotent::{DynStore, MemoryStore, StoreErrorKind};
use resilience::stores::PostgresStore;
use sqlx::postgres::PgPoolOptions;

use super::open;
use crate::claims::{Ask, DAY};
use crate::servers::{PgBouncer, Postgres};

/// Many at once, over more connections than the bouncer has; the kinds of trouble they met.
async fn meet(bouncer: &PgBouncer, clients: u32) -> Vec<StoreErrorKind> {
    let pool = PgPoolOptions::new().max_connections(clients).test_before_acquire(false);
    let pool = pool.connect(&bouncer.url()).await.unwrap();
    let store = PostgresStore::new(pool);
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    let ask = Ask::new();
                    ask.of(&store).await?;
                    ask.done(&store, b"done", DAY).await;
                    ask.replays(&store, b"done").await;
                }
                Ok(())
            })
        })
        .collect();
    let mut trouble = Vec::new();
    for caller in callers {
        match caller.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let error: resilience::idempotent::StoreError = error;
                trouble.push(error.kind());
            }
            // A step after the first claim.
            Err(_) => trouble.push(StoreErrorKind::Unavailable),
        }
    }
    trouble
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions() {
    let Some(server) = Postgres::shared() else { return };
    open(&server.url(), 1).await;
    let Some(bouncer) = PgBouncer::to(server, "pool_mode = session") else { return };
    assert_eq!(meet(&bouncer, 2).await, []);
}

/// A bouncer that knows prepared statements has them on each connection.
#[tokio::test(flavor = "multi_thread")]
async fn transactions() {
    let Some(bouncer) = PgBouncer::shared() else { return };
    open(&bouncer.url(), 1).await;
    assert_eq!(meet(bouncer, 8).await, []);
}

mod conformance {
    use super::*;

    /// The memory store where there is no such bouncer, which has been said by then.
    async fn store() -> Arc<dyn DynStore> {
        let Some(bouncer) = PgBouncer::shared() else { return Arc::new(MemoryStore::new()) };
        Arc::new(open(&bouncer.url(), 8).await)
    }

    resilience::store_conformance!(store, keys = crate::races());
}
