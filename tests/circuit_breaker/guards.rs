//! Calls that end abnormally never block a breaker and never cause a wrong state.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use resilience::{CircuitBreaker, CircuitState, OnCancel, circuit_breaker, testing, timeout};

use crate::{Failure, SECOND, Seen, call, fail, is_open, succeed};

/// Returns a breaker whose open time is over, with one permit.
fn ready_to_probe(clock: &testing::Clock) -> CircuitBreaker {
    let breaker = CircuitBreaker::new().failure_threshold(1).reset_timeout(SECOND);
    fail(&breaker, 1);
    clock.advance(SECOND);
    breaker
}

#[test]
fn a_dropped_trial_call_returns_its_permit() {
    let clock = testing::clock();
    let breaker = ready_to_probe(&clock);
    let probe = breaker.try_acquire().unwrap();
    assert_eq!(call(&breaker, Ok(())), Seen::Rejected(Some(SECOND)));
    drop(probe);
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_hung_trial_call_holds_its_permit_for_one_lease() {
    let clock = testing::clock();
    let breaker = ready_to_probe(&clock);
    let hung = breaker.try_acquire().unwrap();
    clock.advance(Duration::from_millis(999));
    let rest = Duration::from_millis(1);
    assert_eq!(call(&breaker, Ok(())), Seen::Rejected(Some(rest)), "the rest of the lease");
    clock.advance(rest);
    let second = breaker.try_acquire().expect("the lease is over");
    drop(hung);
    second.success();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_lease_lasts_at_least_the_slow_call_limit() {
    let clock = testing::clock();
    let breaker =
        CircuitBreaker::new().failure_threshold(1).slow_call(5 * SECOND).reset_timeout(SECOND);
    fail(&breaker, 1);
    clock.advance(SECOND);
    let probe = breaker.try_acquire().unwrap();
    clock.advance(Duration::from_millis(4999));
    assert_eq!(call(&breaker, Ok(())), Seen::Rejected(Some(Duration::from_millis(1))));
    probe.success();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_panicking_trial_call_reopens_the_breaker_and_unwinds() {
    let clock = testing::clock();
    let breaker = ready_to_probe(&clock);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        breaker.run(|| -> Result<(), Failure> { panic!("in the body") })
    }));
    assert!(panicked.is_err());
    assert!(is_open(&breaker));
    clock.advance(SECOND);
    succeed(&breaker, 1);
}

#[test]
fn a_panic_counts_and_poisons_no_lock() {
    let breaker = CircuitBreaker::new().failure_threshold(3);
    for _ in 0..3 {
        let body = || -> Result<(), Failure> { panic!("in the body") };
        assert!(catch_unwind(AssertUnwindSafe(|| breaker.run(body))).is_err());
    }
    assert!(is_open(&breaker));
    assert!(matches!(call(&breaker, Ok(())), Seen::Rejected(Some(_))));
}

#[test]
fn a_trial_call_that_outlives_its_half_open_state_is_ignored() {
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

static CUT: CircuitBreaker =
    CircuitBreaker::new().failure_threshold(2).on_cancel(OnCancel::Failure);

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
async fn an_outer_timeout_opens_the_breaker_if_on_cancel_is_failure() {
    let state = |name| circuit_breaker(name).map(CircuitBreaker::state);
    for _ in 0..3 {
        assert!(hangs().await.is_err());
        assert!(ignored().await.is_err());
    }
    assert_eq!(state("hangs"), Some(CircuitState::Open));
    assert_eq!(state("ignored"), Some(CircuitState::Closed));
    // The same by hand.
    for _ in 0..2 {
        let hang = CUT.run_async(pending::<Result<(), Failure>>());
        assert!(tokio::time::timeout(SECOND, hang).await.is_err());
    }
    assert!(is_open(&CUT));
}

#[tokio::test(start_paused = true)]
async fn an_inner_timeout_is_counted_regardless_of_on() {
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
fn recursion_and_reentrance_do_not_deadlock() {
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
