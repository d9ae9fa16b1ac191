//! Calls through the attribute.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use resilience::idempotent::{Secret, WithSecret};
use resilience::{IdempotencyRejection, Rejected, RejectedKind, idempotent};

use super::{TestStore, connected, store_of};
use crate::servers::Redis;

struct Till<S> {
    store: S,
    charged: AtomicU32,
}

/// Defines the same method for each type of store.
macro_rules! till {
    ($store:ty) => {
        impl Till<$store> {
            #[idempotent(
                        store = self.store, key = request, scope = tenant, fingerprint(cents),
                        name = "till.charge", lease = "1s", store_timeout = "10s"
                    )]
            async fn charge(
                &self,
                tenant: &str,
                request: &str,
                cents: u32,
            ) -> Result<u32, Rejected> {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok(self.charged.fetch_add(cents, SeqCst) + cents)
            }
        }
    };
}
till!(TestStore);
till!(WithSecret<TestStore>);

fn till<S>(store: S) -> Arc<Till<S>> {
    Arc::new(Till { store, charged: AtomicU32::new(0) })
}

macro_rules! charges_once {
    ($till:expr) => {
        let till = $till;
        let calls: Vec<_> = (0..64)
            .map(|_| {
                let till = Arc::clone(&till);
                tokio::spawn(async move { till.charge("acme", "r-1", 5).await })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok(5));
        }
        assert_eq!(till.charge("acme", "r-1", 5).await, Ok(5));
        let reused = till.charge("acme", "r-1", 6).await.unwrap_err();
        assert_eq!(reused.kind(), RejectedKind::Idempotency(IdempotencyRejection::KeyReused));
        assert_eq!(till.charge("other", "r-1", 6).await, Ok(11));
        assert_eq!(till.charge("acme", "r-2", 1).await, Ok(12));
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_runs_once() {
    let Some(server) = Redis::start(&[]) else { return };
    charges_once!(till(store_of(&server).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_separates_the_records() {
    let Some(server) = Redis::start(&[]) else { return };
    let plain = till(store_of(&server).await);
    assert_eq!(plain.charge("acme", "r-1", 9).await, Ok(9));
    let store = TestStore::new(connected(server.url()).await);
    // Another secret means other records.
    charges_once!(till(WithSecret::new(store, Secret::new([7; 32]))));
}
