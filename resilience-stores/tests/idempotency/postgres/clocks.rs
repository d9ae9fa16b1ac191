//! Processes with different clocks.

use std::thread;
use std::time::Duration;

use resilience::idempotent::{Claim, Store, WriteOutcome};
use resilience::testing;

use super::open;
use crate::claims::{ClaimSpec, DAY, SHORT};
use crate::servers::Postgres;

/// Runs a closure in a thread whose clock is one hour ahead.
fn one_hour_ahead<T: Send>(what: impl AsyncFnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let clock = testing::clock();
            clock.advance(Duration::from_hours(1));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(what())
        });
        thread.join().unwrap()
    })
}

#[test]
fn claimants_with_clocks_one_hour_apart() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.url();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let here = runtime.block_on(open(&url, 1));
    let (claimed, done, lapsed) =
        (ClaimSpec::new(), ClaimSpec::new(), ClaimSpec::new().lease(SHORT));
    let (token, _) = runtime.block_on(claimed.lease(Duration::from_mins(1)).acquire(&here));
    runtime.block_on(done.complete(&here, b"done", Duration::from_mins(1)));
    let (late, _) = runtime.block_on(lapsed.acquire(&here));
    one_hour_ahead(async || {
        let there = open(&url, 1).await;
        let Claim::InFlight { lease_left } = claimed.other().claim(&there).await.unwrap() else {
            panic!("the lease depends on a local clock")
        };
        assert!(lease_left <= Duration::from_mins(1), "{lease_left:?}");
        done.other().replays(&there, b"done").await;
        there.purge(1000).await.unwrap();
        let ahead = ClaimSpec::new().lease(SHORT);
        ahead.acquire(&there).await;
        tokio::time::sleep(SHORT).await;
        assert_eq!(ahead.other().acquire(&there).await.1, 2);
        assert_eq!(lapsed.other().acquire(&there).await.1, 2);
    });
    runtime.block_on(async {
        assert_eq!(
            here.complete(&claimed.key, token, b"done", DAY).await.unwrap(),
            WriteOutcome::Applied
        );
        assert_eq!(
            here.complete(&lapsed.key, late, b"done", DAY).await.unwrap(),
            WriteOutcome::Fenced
        );
        done.replays(&here, b"done").await;
    });
}
