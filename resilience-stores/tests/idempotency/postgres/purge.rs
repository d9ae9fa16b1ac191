//! A purge concurrent with all other steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use resilience::idempotent::{Claim, Store};

use super::open;
use crate::claims::{ClaimSpec, DAY};
use crate::servers::Postgres;

#[tokio::test(flavor = "multi_thread")]
async fn no_live_record_is_purged() {
    let Some(server) = Postgres::start(&[]) else { return };
    let store = open(&server.url(), 8).await;
    let ends = Arc::new(AtomicBool::new(false));
    let purged = Arc::new(AtomicUsize::new(0));
    let purgers: Vec<_> = (0..3)
        .map(|_| {
            let (store, ends) = (store.clone(), Arc::clone(&ends));
            let purged = Arc::clone(&purged);
            tokio::spawn(async move {
                while !ends.load(Relaxed) {
                    purged.fetch_add(store.purge(10).await.unwrap(), Relaxed);
                }
            })
        })
        .collect();
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (store, purged) = (store.clone(), Arc::clone(&purged));
            tokio::spawn(async move {
                let (mut kept, mut again) = (Vec::new(), 0);
                let turns = [(); 5].map(|()| ClaimSpec::new());
                // Until enough of both, on any machine.
                while (purged.load(Relaxed) <= 20 || kept.len() <= 5) && kept.len() < 5000 {
                    let spec = ClaimSpec::new();
                    spec.complete(&store, b"kept", DAY).await;
                    kept.push(spec);
                    // Records that expire immediately and are claimed again during the purge.
                    for turn in turns {
                        turn.other().complete(&store, b"turn", Duration::ZERO).await;
                        again += 1;
                    }
                }
                (kept, again)
            })
        })
        .collect();
    let mut done = Vec::new();
    for caller in callers {
        done.push(caller.await.unwrap());
    }
    ends.store(true, Relaxed);
    for purger in purgers {
        purger.await.unwrap();
    }
    let mut claims = 0;
    for (kept, again) in done {
        assert!(kept.len() > 5, "{}", kept.len());
        for spec in kept {
            spec.replays(&store, b"kept").await;
        }
        claims += again;
    }
    let purged = purged.load(Relaxed);
    assert!(purged > 20 && purged <= claims, "{purged} of {claims}");
}

/// A purge skips locked records.
#[tokio::test]
async fn a_purge_skips_locked_records() {
    let Some(server) = Postgres::start(&[]) else { return };
    let store = open(&server.url(), 3).await;
    let specs = [(); 6].map(|()| ClaimSpec::new());
    for spec in specs {
        spec.complete(&store, b"done", Duration::ZERO).await;
    }
    let mut hangs = store.pool().begin().await.unwrap();
    let lock = "SELECT 1 FROM resilience_idempotency LIMIT 2 FOR UPDATE";
    sqlx::query(lock).execute(&mut *hangs).await.unwrap();
    assert_eq!(store.purge(100).await.unwrap(), 4);
    assert!(matches!(ClaimSpec::new().claim(&store).await.unwrap(), Claim::Acquired { .. }));
    hangs.rollback().await.unwrap();
    assert_eq!(store.purge(100).await.unwrap(), 2);
}
