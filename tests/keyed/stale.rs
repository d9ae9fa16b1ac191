//! Keys that say nothing about the present make room for new keys.

use std::cell::Cell;
use std::time::Duration;

use resilience::{
    CircuitBreaker, CircuitSnapshot, CircuitState, KeyCircuitBreaker, Keyed, RateLimiter, Rejected,
    circuit_breaker, testing,
};

use crate::{YEAR, down, ms};

thread_local! {
    static RAN: Cell<u32> = const { Cell::new(0) };
}

fn ran() -> u32 {
    RAN.replace(0)
}

fn run(up: bool) -> Result<(), Rejected> {
    RAN.set(RAN.get() + 1);
    if up { Ok(()) } else { Err(down()) }
}

#[test]
fn hosts_that_failed_once_in_a_window_expire() {
    #[circuit_breaker(failure_threshold = 5, window = "10s", reset_timeout = "1s", key = host, max_keys = 100)]
    fn fetch(host: u32) -> Result<(), Rejected> {
        run(false)
    }
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    for host in 0..100 {
        assert!(fetch(host).is_err());
    }
    clock.advance(YEAR);
    ran();
    for _ in 0..1000 {
        assert!(fetch(4711).is_err());
    }
    assert_eq!(ran(), 5);
}

#[test]
fn hosts_with_failures_in_a_row_expire() {
    #[circuit_breaker(failure_threshold = 5, key = host, max_keys = 100)]
    fn fetch(host: u32) -> Result<(), Rejected> {
        run(false)
    }
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    for host in 0..100 {
        assert!(fetch(host).is_err());
    }
    // The default open time is 30 seconds. Within the open time the failures still count.
    clock.advance(ms(29_000));
    for host in 0..100 {
        for _ in 0..5 {
            assert!(fetch(host).is_err());
        }
    }
    assert_eq!(ran(), 100 + 400);
    clock.advance(YEAR);
    for _ in 0..1000 {
        assert!(fetch(4711).is_err());
    }
    assert_eq!(ran(), 5);
}

/// The only key of a table gives way once the open time without jitter is over since its last failure.
#[test]
fn a_key_with_failures_in_a_row_expires_after_the_open_time() {
    let clock = testing::clock();
    let breakers = Keyed::new(1, || CircuitBreaker::new().reset_timeout(ms(1000)));
    let gives_way = |host: u32| {
        let before = breakers.figures().overflow_calls;
        drop(breakers.get(&host));
        breakers.figures().overflow_calls == before
    };
    let fail = || assert!(breakers.get(&0_u32).run(|| Err::<(), _>(down())).is_err());
    fail();
    clock.advance(ms(900));
    fail();
    clock.advance(ms(999));
    assert!(!gives_way(1));
    clock.advance(ms(1));
    assert!(gives_way(1));
}

#[test]
fn open_and_half_open_hosts_without_calls_expire() {
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "1s", key = host, max_keys = 100)]
    fn fetch(host: u32, up: bool) -> Result<(), Rejected> {
        run(up)
    }
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    for host in 0..100 {
        assert!(fetch(host, false).is_err());
    }
    clock.advance(ms(1500));
    // The open time is over, but a host may still come back to a half-open breaker.
    assert!(fetch(3, false).is_err());
    assert_eq!((fetch(3, true).is_err(), ran()), (true, 101));
    clock.advance(YEAR);
    for _ in 0..1000 {
        assert!(fetch(4711, false).is_err());
    }
    assert_eq!(ran(), 1);
}

#[test]
fn a_closed_window_of_failures_expires() {
    #[circuit_breaker(failure_rate = 0.5, window = 100, min_calls = 10, key = host, max_keys = 10)]
    fn fetch(host: u32) -> Result<(), Rejected> {
        run(false)
    }
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    for host in 0..10 {
        assert!(fetch(host).is_err());
    }
    clock.advance(YEAR);
    ran();
    for _ in 0..100 {
        assert!(fetch(4711).is_err());
    }
    assert_eq!(ran(), 10);
}

/// The state of a busy host survives a flood of hosts that are called once.
#[test]
fn a_host_in_use_survives_a_flood_of_healthy_hosts() {
    #[circuit_breaker(failure_threshold = 3, key = host, max_keys = 50)]
    fn fetch(host: u32, up: bool) -> Result<(), Rejected> {
        run(up)
    }
    let (_clock, _state) = (testing::clock(), testing::fresh_state());
    assert!(fetch(0, false).is_err() && fetch(0, false).is_err());
    for host in 1..10_000 {
        assert!(fetch(host, true).is_ok());
    }
    assert!(fetch(0, false).is_err());
    ran();
    assert!(fetch(0, true).is_err());
    assert_eq!(ran(), 0, "opened by the third failure");
}

#[test]
fn a_shared_limit_stays_until_its_burst_is_full() {
    const HOUR: Duration = Duration::from_secs(3600);
    let limits = Keyed::new(2, || RateLimiter::new(1, HOUR).shared("keyed::stale"));
    let clock = testing::clock();
    assert!(limits.get("a").try_acquire().is_ok());
    assert!(limits.get("b").try_acquire().is_ok());
    for _ in 0..9 {
        let _ = limits.get("c").try_acquire();
    }
    assert!(limits.get("a").try_acquire().is_err());
    assert!(limits.get("b").try_acquire().is_err());
    clock.advance(HOUR);
    assert!(limits.get("c").try_acquire().is_ok());
    assert!(limits.get("c").try_acquire().is_err(), "a limiter of its own");
}

#[test]
fn a_limit_at_rest_expires() {
    #[resilience::rate_limit(rate = 1, per = "1s", key = user, max_keys = 100)]
    fn call(user: u32) -> Option<()> {
        Some(())
    }
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    for round in 0..20 {
        for user in 0..100 {
            assert_eq!(call(round * 100 + user), Some(()));
            assert_eq!(call(round * 100 + user), None);
        }
        clock.advance(Duration::from_secs(1));
    }
}

/// A key that was restored or probed, without a call since, gives way once its state is old.
#[test]
fn a_restored_or_probed_key_without_calls_expires() {
    let clock = testing::clock();
    let settings =
        || CircuitBreaker::new().failure_rate(0.5).count_window(10).reset_timeout(ms(1000));
    let old = settings();
    drop(old.run(|| Err::<(), _>(down())));
    let failed = old.snapshot();
    let mut in_a_row = CircuitSnapshot::default();
    in_a_row.consecutive_failures = 3;
    let mut half_open = CircuitSnapshot::default();
    half_open.state = CircuitState::HalfOpen;
    let changes: [&dyn Fn(&KeyCircuitBreaker); 4] = [
        &|breaker| breaker.restore(&failed),
        &|breaker| breaker.restore(&in_a_row),
        &|breaker| breaker.restore(&half_open),
        &|breaker| {
            breaker.force_open();
            breaker.probe();
        },
    ];
    for change in changes {
        let breakers = Keyed::new(1, settings);
        let gives_way = || {
            let before = breakers.figures().overflow_calls;
            drop(breakers.get(&1_u32));
            breakers.figures().overflow_calls == before
        };
        change(&breakers.get(&0_u32));
        clock.advance(ms(999));
        assert!(!gives_way());
        clock.advance(ms(1));
        assert!(gives_way());
    }
}
