//! A server that goes and comes back. It does not call `fsync` here, which is to say that its process is lost
//! and not the machine: what is tested is the order of the commit and its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use resilience::idempotent::{Claim, Store, Token, WriteOutcome};
use resilience::stores::PostgresStore;

use super::open;
use crate::claims::{Ask, DAY};
use crate::folder::Folder;
use crate::payments::Payments;
use crate::servers::{Postgres, Signal};

/// What was acknowledged until the first error, or the end: a pool may find a way around every error.
async fn until_it_fails(store: PostgresStore, ends: Arc<AtomicBool>) -> Vec<(Ask, Token, bool)> {
    let mut acknowledged = Vec::new();
    loop {
        if ends.load(Relaxed) {
            return acknowledged;
        }
        let ask = Ask::new();
        let Ok(Claim::Acquired { token, .. }) = ask.of(&store).await else { return acknowledged };
        acknowledged.push((ask, token, false));
        if acknowledged.len() % 2 == 0 {
            match store.complete(&ask.key, token, b"done", DAY).await {
                Ok(WriteOutcome::Applied) => acknowledged.last_mut().unwrap().2 = true,
                _ => return acknowledged,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_the_server() {
    let Some(server) = Postgres::start(&[]) else { return };
    for signal in [Signal::Kill, Signal::Int] {
        let store = open(&server.url(), 4).await;
        let ends = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..4)
            .map(|_| tokio::spawn(until_it_fails(store.clone(), Arc::clone(&ends))))
            .collect();
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.restart(signal);
        ends.store(true, Relaxed);
        let store = open(&server.url(), 4).await;
        let mut completed = 0;
        for writer in writers {
            for (ask, token, is_complete) in writer.await.unwrap() {
                if is_complete {
                    ask.other().replays(&store, b"done").await;
                    completed += 1;
                    continue;
                }
                // The last completion may have been made without an answer.
                match ask.of(&store).await.unwrap() {
                    Claim::Acquired { token: again, attempt: 1 } => assert_eq!(again, token),
                    Claim::Replay(outcome) => assert_eq!(&*outcome, b"done"),
                    lost => panic!("{lost:?} after {signal:?}"),
                }
            }
        }
        assert!(completed > 10, "{completed}");
    }
}

/// A call that runs while the server is away is not run again, and none is lost.
#[tokio::test(flavor = "multi_thread")]
async fn calls_span_a_restart() {
    let Some(server) = Postgres::start(&[]) else { return };
    let folder = Folder::new();
    let payments = Payments::new(open(&server.url(), 4).await, folder.journal());
    let ends = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|caller| {
            let (payments, ends) = (payments.clone(), Arc::clone(&ends));
            tokio::spawn(async move {
                let mut paid = Vec::new();
                let mut number = 0;
                while !ends.load(Relaxed) {
                    number += 1;
                    let request = format!("r-{caller}-{number}");
                    // As a client that repeats what failed.
                    paid.push(loop {
                        match payments.patient(&request, 5).await {
                            Ok(receipt) => break (request, receipt),
                            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                        }
                    });
                }
                paid
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.restart(Signal::Int);
    tokio::time::sleep(Duration::from_millis(100)).await;
    ends.store(true, Relaxed);
    let mut paid = Vec::new();
    for caller in callers {
        paid.extend(caller.await.unwrap());
    }
    assert!(paid.len() > 8, "{}", paid.len());
    for (request, receipt) in &paid {
        assert_eq!(payments.patient(request, 5).await.unwrap(), *receipt);
    }
    assert_eq!(payments.lines().len(), paid.len());
}
