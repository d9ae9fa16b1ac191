//! `PgBouncer`, with server connections per session or per transaction.

use std::sync::Arc;

use resilience::idempotent::{DynStore, MemoryStore, StoreErrorKind};
use resilience::stores::PostgresStore;
use sqlx::postgres::PgPoolOptions;

use super::open;
use crate::claims::{ClaimSpec, DAY};
use crate::servers::{PgBouncer, Postgres};

/// Runs concurrent clients over more connections than `PgBouncer` has, and returns the kinds of
/// errors.
async fn meet(bouncer: &PgBouncer, clients: u32) -> Vec<StoreErrorKind> {
    let pool = PgPoolOptions::new().max_connections(clients).test_before_acquire(false);
    let pool = pool.connect(&bouncer.url()).await.unwrap();
    let store = PostgresStore::new(pool);
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    let spec = ClaimSpec::new();
                    spec.claim(&store).await?;
                    spec.complete(&store, b"done", DAY).await;
                    spec.replays(&store, b"done").await;
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

/// A `PgBouncer` with prepared statements prepares them on each server connection.
#[tokio::test(flavor = "multi_thread")]
async fn transactions() {
    let Some(bouncer) = PgBouncer::shared() else { return };
    open(&bouncer.url(), 1).await;
    assert_eq!(meet(bouncer, 8).await, []);
}

mod conformance {
    use super::*;

    /// Falls back to the memory store if such a `PgBouncer` is missing; the skip has been
    /// reported.
    async fn store() -> Arc<dyn DynStore> {
        let Some(bouncer) = PgBouncer::shared() else { return Arc::new(MemoryStore::new()) };
        Arc::new(open(&bouncer.url(), 8).await)
    }

    resilience::store_conformance!(store, keys = crate::races());
}
