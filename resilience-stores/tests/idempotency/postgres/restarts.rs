//! A server that stops and restarts. `fsync` is off, so the tests cover the loss of the server
//! process, not of the machine: the order of the commit and the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use resilience::idempotent::{Claim, Store, Token, WriteOutcome};
use resilience::stores::PostgresStore;

use super::open;
use crate::claims::{ClaimSpec, DAY};
use crate::folder::Folder;
use crate::payments::Payments;
use crate::servers::{Postgres, Signal};

/// Callers that a test ends.
#[derive(Default)]
struct Load {
    ends: AtomicBool,
    completed: AtomicU32,
}

impl Load {
    /// Waits until the callers have completed this number of calls more.
    async fn completes(&self, more: u32) {
        let goal = self.completed.load(Relaxed) + more;
        while self.completed.load(Relaxed) < goal {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Returns the writes acknowledged until the first error or until the end, because a pool may
/// recover from every error.
async fn write_until_failure(
    store: PostgresStore,
    load: Arc<Load>,
) -> Vec<(ClaimSpec, Token, bool)> {
    let mut acknowledged = Vec::new();
    loop {
        if load.ends.load(Relaxed) {
            return acknowledged;
        }
        let spec = ClaimSpec::new();
        let Ok(Claim::Acquired { token, .. }) = spec.claim(&store).await else {
            return acknowledged;
        };
        acknowledged.push((spec, token, false));
        if acknowledged.len() % 2 == 0 {
            match store.complete(&spec.key, token, b"done", DAY).await {
                Ok(WriteOutcome::Applied) => {
                    acknowledged.last_mut().unwrap().2 = true;
                    load.completed.fetch_add(1, Relaxed);
                }
                _ => return acknowledged,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_survive_a_restart() {
    let Some(server) = Postgres::start(&[]) else { return };
    for signal in [Signal::Kill, Signal::Int] {
        let store = open(&server.url(), 4).await;
        let load = Arc::<Load>::default();
        let writers: Vec<_> = (0..4)
            .map(|_| tokio::spawn(write_until_failure(store.clone(), Arc::clone(&load))))
            .collect();
        load.completes(20).await;
        server.restart(signal);
        load.ends.store(true, Relaxed);
        let store = open(&server.url(), 4).await;
        let mut completed = 0;
        for writer in writers {
            for (spec, token, is_complete) in writer.await.unwrap() {
                if is_complete {
                    spec.other().replays(&store, b"done").await;
                    completed += 1;
                    continue;
                }
                // The last completion may have been executed without an answer.
                match spec.claim(&store).await.unwrap() {
                    Claim::Acquired { token: again, attempt: 1 } => assert_eq!(again, token),
                    Claim::Replay(outcome) => assert_eq!(&*outcome, b"done"),
                    lost => panic!("{lost:?} after {signal:?}"),
                }
            }
        }
        assert!(completed >= 20, "{completed}");
    }
}

/// A call that spans a restart of the server is not executed again, and no call is lost.
#[tokio::test(flavor = "multi_thread")]
async fn calls_span_a_restart() {
    let Some(server) = Postgres::start(&[]) else { return };
    let folder = Folder::new();
    let payments = Payments::new(open(&server.url(), 4).await, folder.journal());
    let load = Arc::<Load>::default();
    let callers: Vec<_> = (0..4)
        .map(|caller| {
            let (payments, load) = (payments.clone(), Arc::clone(&load));
            tokio::spawn(async move {
                let mut paid = Vec::new();
                let mut number = 0;
                while !load.ends.load(Relaxed) {
                    number += 1;
                    let request = format!("r-{caller}-{number}");
                    // The client repeats failed calls.
                    paid.push(loop {
                        match payments.long_lease(&request, 5).await {
                            Ok(receipt) => break (request, receipt),
                            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                        }
                    });
                    load.completed.fetch_add(1, Relaxed);
                }
                paid
            })
        })
        .collect();
    load.completes(5).await;
    server.restart(Signal::Int);
    load.completes(8).await;
    load.ends.store(true, Relaxed);
    let mut paid = Vec::new();
    for caller in callers {
        paid.extend(caller.await.unwrap());
    }
    assert!(paid.len() >= 13, "{}", paid.len());
    for (request, receipt) in &paid {
        assert_eq!(payments.long_lease(request, 5).await.unwrap(), *receipt);
    }
    assert_eq!(payments.lines().len(), paid.len());
}
