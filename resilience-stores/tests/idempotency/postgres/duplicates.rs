//! Many duplicates at the same time, on few connections.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use futures::future::join_all;
use resilience::idempotent::Store;
use resilience::{IdempotencyRejection, Rejected, RejectedKind, idempotent};

use super::open;
use crate::servers::Postgres;

struct Shop<S> {
    store: S,
    runs: AtomicU32,
}

impl<S: Store + Clone> Shop<S> {
    #[idempotent(store = self.store, key = key, scope = "global", name = "duplicates.wait")]
    async fn wait(&self, key: u32) -> Result<u32, Rejected> {
        Ok(self.runs.fetch_add(1, SeqCst) + 1)
    }

    #[idempotent(
        store = self.store, key = key, scope = "global", name = "duplicates.reject",
        concurrent = "reject"
    )]
    async fn reject(&self, key: u32) -> Result<u32, Rejected> {
        Ok(self.runs.fetch_add(1, SeqCst) + 1)
    }
}

/// 200 duplicates on 8 connections, in tasks of their own: no call is rejected for the store.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_duplicates_at_once() {
    let Some(server) = Postgres::shared() else { return };
    for connections in [8, 1] {
        let store = open(&server.url(), connections).await;
        let shop = std::sync::Arc::new(Shop { store, runs: AtomicU32::new(0) });
        for round in 0..5 {
            let key = connections * 10 + round;
            let calls = (0..200).map(|_| {
                let shop = std::sync::Arc::clone(&shop);
                tokio::spawn(async move { shop.wait(key).await })
            });
            for call in join_all(calls).await {
                assert_eq!(call.unwrap(), Ok(round * 2 + 1));
            }
            let calls = (0..200).map(|_| {
                let shop = std::sync::Arc::clone(&shop);
                tokio::spawn(async move { shop.reject(key).await })
            });
            let in_flight = RejectedKind::Idempotency(IdempotencyRejection::InFlight);
            for call in join_all(calls).await {
                match call.unwrap() {
                    Ok(run) => assert_eq!(run, round * 2 + 2),
                    Err(rejected) => assert_eq!(rejected.kind(), in_flight, "{rejected:?}"),
                }
            }
        }
    }
}
