//! Calls that do not end as they should: none of them can wedge a breaker, or turn it wrongly.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use resilience::{CircuitBreaker, CircuitState, circuit_breaker, testing, timeout};

use crate::{Failure, SECOND, Seen, call, fail, is_open, succeed};

/// Open, with its time over, and one permit.
fn ready_to_probe(clock: &testing::Clock) -> CircuitBreaker {
    let breaker = CircuitBreaker::new().failure_threshold(1).reset_timeout(SECOND);
    fail(&breaker, 1);
    clock.advance(SECOND);
    breaker
}

#[test]
fn a_dropped_probe_gives_its_permit_back() {
    let clock = testing::clock();
    let breaker = ready_to_probe(&clock);
    let probe = breaker.try_acquire().unwrap();
    assert_eq!(call(&breaker, Ok(())), Seen::Away(None));
    drop(probe);
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_hung_probe_holds_its_permit_for_a_lease_only() {
    let clock = testing::clock();
    let breaker = ready_to_probe(&clock);
    let hung = breaker.try_acquire().unwrap();
    clock.advance(Duration::from_millis(999));
    assert_eq!(call(&breaker, Ok(())), Seen::Away(None));
    clock.advance(Duration::from_millis(1));
    let second = breaker.try_acquire().expect("the lease is over");
    // What became of the first no longer matters.
    hung.failure();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    second.success();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_lease_lasts_as_long_as_a_call_that_is_not_slow() {
    let clock = testing::clock();
    let breaker =
        CircuitBreaker::new().failure_threshold(1).slow_call(5 * SECOND).reset_timeout(SECOND);
    fail(&breaker, 1);
    clock.advance(SECOND);
    let probe = breaker.try_acquire().unwrap();
    clock.advance(Duration::from_millis(4999));
    assert_eq!(call(&breaker, Ok(())), Seen::Away(None));
    probe.success();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_panicking_probe_opens_it_again_and_goes_on() {
    let clock = testing::clock();
    let breaker = ready_to_probe(&clock);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        breaker.call(|| -> Result<(), Failure> { panic!("in the body") })
    }));
    assert!(panicked.is_err());
    assert!(is_open(&breaker));
    clock.advance(SECOND);
    succeed(&breaker, 1);
}

#[test]
fn a_panic_counts_and_poisons_nothing() {
    let breaker = CircuitBreaker::new().failure_threshold(3);
    for _ in 0..3 {
        let body = || -> Result<(), Failure> { panic!("in the body") };
        assert!(catch_unwind(AssertUnwindSafe(|| breaker.call(body))).is_err());
    }
    assert!(is_open(&breaker));
    assert!(matches!(call(&breaker, Ok(())), Seen::Away(Some(_))));
}

#[test]
fn a_probe_that_outlives_its_half_open_state_says_nothing_about_the_next() {
    let clock = testing::clock();
    let breaker =
        CircuitBreaker::new().failure_threshold(1).reset_timeout(SECOND).success_threshold(2);
    fail(&breaker, 1);
    clock.advance(SECOND);
    let late = breaker.try_acquire().unwrap();
    fail(&breaker, 1);
    assert!(is_open(&breaker), "the other probe failed");
    clock.advance(SECOND);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    late.success();
    assert_eq!(breaker.state(), CircuitState::HalfOpen, "one success, not two");
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn stale_outcomes_neither_close_nor_open() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_threshold(2).reset_timeout(SECOND);
    let (success, failure) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    let (one, two) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    fail(&breaker, 2);
    clock.advance(SECOND);
    let probe = breaker.try_acquire().unwrap();
    success.success();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    failure.failure();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    probe.success();
    one.failure();
    two.failure();
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert_eq!(breaker.snapshot().consecutive_failures, 0);
}

static CUT: CircuitBreaker = CircuitBreaker::new().failure_threshold(2).abandoned_is_failure(true);

#[timeout("1s")]
#[circuit_breaker(failure_threshold = 2, on_cancel = "failure", name = "hangs")]
async fn hangs() -> Result<(), Failure> {
    pending().await
}

#[timeout("1s")]
#[circuit_breaker(failure_threshold = 2, on_cancel = "ignore", name = "ignored")]
async fn ignored() -> Result<(), Failure> {
    pending().await
}

#[tokio::test(start_paused = true)]
async fn an_outer_timeout_opens_it_where_it_is_told_to() {
    let state = |name| circuit_breaker(name).map(CircuitBreaker::state);
    for _ in 0..3 {
        assert!(hangs().await.is_err());
        assert!(ignored().await.is_err());
    }
    assert_eq!(state("hangs"), Some(CircuitState::Open));
    assert_eq!(state("ignored"), Some(CircuitState::Closed));
    // By hand likewise.
    for _ in 0..2 {
        let hang = CUT.call_async(pending::<Result<(), Failure>>());
        assert!(tokio::time::timeout(SECOND, hang).await.is_err());
    }
    assert!(is_open(&CUT));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_below_is_counted_whatever_on_says() {
    #[circuit_breaker(failure_threshold = 2, on = |_| false, name = "slow")]
    #[timeout("1s")]
    async fn slow() -> Result<(), Failure> {
        pending().await
    }
    for _ in 0..2 {
        assert!(slow().await.is_err());
    }
    let breaker = circuit_breaker("slow").unwrap();
    assert!(is_open(breaker));
}

#[test]
fn recursion_and_re_entrance_do_not_deadlock() {
    #[circuit_breaker(failure_threshold = 100)]
    fn recursive(depth: u32) -> Result<u32, Failure> {
        if depth == 0 { Err(Failure::Down) } else { recursive(depth - 1) }
    }
    assert_eq!(recursive(10), Err(Failure::Down));

    static SELF: CircuitBreaker =
        CircuitBreaker::new().failure_threshold(1).on_state_change(|_| _ = SELF.snapshot());
    fail(&SELF, 1);
    assert!(is_open(&SELF));
}
