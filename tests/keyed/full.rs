//! A full table: new keys share one state, and the table says so.

use std::cell::Cell;

use resilience::{Rejected, RejectedKind, bulkhead, circuit_breaker, rate_limit, testing};
use tokio::time::sleep;

use crate::{down, ms, table};

#[test]
fn a_full_limiter_limits_new_keys() {
    #[rate_limit(rate = 5, per = "1m", key = user, name = "sign_in")]
    fn sign_in(user: &str) -> Result<(), Rejected> {
        Ok(())
    }
    let _clock = testing::clock();
    for number in 0..10_000 {
        assert!(sign_in(&format!("nobody{number}")).is_ok(), "{number}");
    }
    assert_eq!((table("sign_in").keys, table("sign_in").overflow_calls), (10_000, 0));
    let victim = (0..5000).filter(|_| sign_in("victim").is_ok()).count();
    assert!(victim <= 5, "{victim}");
    let rejected = sign_in("another").expect_err("the shared state is used up");
    assert_eq!((rejected.kind(), rejected.key()), (RejectedKind::RateLimited, Some("(overflow)")));
    let table = table("sign_in");
    assert_eq!((table.policy, table.max_keys, table.overflow_calls), ("rate_limit", 10_000, 5001));
    // Known keys have their own permits.
    assert_eq!((0..9).filter(|_| sign_in("nobody1").is_ok()).count(), 0);
}

#[test]
fn a_full_limiter_at_a_steady_flood_of_strangers_limits_one_name() {
    #[rate_limit(rate = 5, per = "1m", key = user, max_keys = 1000)]
    fn sign_in(user: u32) -> Result<(), Rejected> {
        Ok(())
    }
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    let mut passed = 0;
    for call in 1..100_000 {
        let _ = sign_in(call);
        clock.advance(ms(1));
        if call % 10 == 0 {
            passed += u32::from(sign_in(0).is_ok());
        }
    }
    // 100 s: the name's own permits, and at most all permits of the shared state.
    assert!(passed <= 2 * 10, "{passed}");
}

#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_limits_new_keys() {
    #[bulkhead(max = 2, key = tenant, max_keys = 10, name = "export")]
    async fn export(tenant: u32) -> Option<()> {
        sleep(ms(100)).await;
        Some(())
    }
    let tenants = futures::future::join_all((0..10).map(export));
    let newcomers = async {
        sleep(ms(10)).await;
        futures::future::join_all((0..50).map(|_| export(11))).await
    };
    let (tenants, newcomers) = tokio::join!(tenants, newcomers);
    assert_eq!(tenants, [Some(()); 10]);
    assert_eq!(newcomers.iter().flatten().count(), 2);
    assert_eq!((table("export").policy, table("export").overflow_calls), ("bulkhead", 50));
    // One tenant is busy; the others are stale.
    let busy = export(3);
    let calls = async {
        sleep(ms(10)).await;
        futures::future::join_all((20..29).map(export)).await
    };
    assert_eq!(tokio::join!(busy, calls), (Some(()), vec![Some(()); 9]));
    assert_eq!(table("export").overflow_calls, 50);
}

thread_local! {
    static RAN: Cell<u32> = const { Cell::new(0) };
}

#[test]
fn a_full_breaker_protects_new_hosts() {
    #[circuit_breaker(failure_threshold = 2, key = host, max_keys = 10, name = "fetch")]
    fn fetch(host: u32, up: bool) -> Result<(), Rejected> {
        RAN.set(RAN.get() + 1);
        if up { Ok(()) } else { Err(down()) }
    }
    let clock = testing::clock();
    for host in 0..10 {
        assert!(fetch(host, false).is_err() && fetch(host, false).is_err());
    }
    RAN.set(0);
    for host in 100..1100 {
        assert!(fetch(host, false).is_err());
    }
    assert_eq!(RAN.get(), 2, "the shared breaker opens");
    let rejected = fetch(100, true).expect_err("open");
    assert_eq!((rejected.kind(), rejected.key()), (RejectedKind::CircuitOpen, Some("(overflow)")));
    assert_eq!((table("fetch").policy, table("fetch").overflow_calls), ("circuit_breaker", 1001));
    // The open time passes for all: stale breakers make room, and new hosts have their own again.
    clock.advance(ms(61_000));
    assert!(fetch(100, true).is_ok() && fetch(101, true).is_ok());
    assert_eq!(table("fetch").overflow_calls, 1001);
}
