//! Equivalents of `pybreaker`.

use std::cell::RefCell;
use std::sync::{Barrier, BarrierWaitResult};
use std::thread;
use std::time::Duration;

use resilience::{CircuitBreaker, CircuitState, Rejected, StateChange, circuit_breaker, testing};

#[derive(Debug, PartialEq)]
enum ChargeError {
    Bank,
    Value,
    Rejected(Rejected),
}

impl From<Rejected> for ChargeError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

thread_local! {
    static CHANGES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn log(change: &StateChange) {
    CHANGES.with_borrow_mut(|changes| changes.push(format!("{} -> {}", change.from, change.to)));
}

#[circuit_breaker(
    failure_threshold = 3,
    reset_timeout = "60s",
    on = |error| !matches!(error, ChargeError::Value),
    on_state_change = log,
    name = "bank",
)]
fn charge(outcome: Result<(), ChargeError>) -> Result<(), ChargeError> {
    outcome
}

fn fail() -> Result<(), ChargeError> {
    charge(Err(ChargeError::Bank))
}

fn is_rejected(outcome: &Result<(), ChargeError>) -> bool {
    matches!(outcome, Err(ChargeError::Rejected(_)))
}

/// `fail_max=3, reset_timeout=60`, and the `state_change` of a listener.
#[test]
fn the_third_failure_in_a_row_opens_the_circuit_for_a_minute() {
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    assert_eq!((fail(), fail()), (Err(ChargeError::Bank), Err(ChargeError::Bank)));
    assert_eq!(charge(Ok(())), Ok(())); // resets the count
    for _ in 0..3 {
        // The call that opens the circuit also returns its error; `pybreaker` raises another error.
        assert_eq!(fail(), Err(ChargeError::Bank));
    }
    clock.advance(Duration::from_millis(59_999));
    assert!(is_rejected(&charge(Ok(()))));
    clock.advance(Duration::from_millis(1));
    assert_eq!(fail(), Err(ChargeError::Bank)); // the trial call fails: open again
    assert!(is_rejected(&charge(Ok(()))));
    clock.advance(Duration::from_secs(60));
    assert_eq!(charge(Ok(())), Ok(()));
    let changes = CHANGES.take();
    assert_eq!(
        changes,
        [
            "closed -> open",
            "open -> half-open",
            "half-open -> open",
            "open -> half-open",
            "half-open -> closed"
        ]
    );
}

/// `exclude=[ValueError]`: an excluded error is a success, as for `pybreaker`.
#[test]
fn an_excluded_error_is_a_success() {
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    for _ in 0..9 {
        assert_eq!(charge(Err(ChargeError::Value)), Err(ChargeError::Value));
    }
    for _ in 0..2 {
        let two = (fail(), fail());
        assert_eq!(two, (Err(ChargeError::Bank), Err(ChargeError::Bank)));
        assert_eq!(charge(Err(ChargeError::Value)), Err(ChargeError::Value)); // resets the count
    }
    let three = (fail(), fail(), fail());
    assert_eq!(three.2, Err(ChargeError::Bank));
    assert!(is_rejected(&charge(Ok(()))));

    clock.advance(Duration::from_secs(60));
    assert_eq!(charge(Err(ChargeError::Value)), Err(ChargeError::Value)); // closes the circuit
    assert_eq!(CHANGES.take().last().map(String::as_str), Some("half-open -> closed"));
}

#[circuit_breaker(reset_timeout = "60s")]
fn plain(works: bool) -> Option<()> {
    works.then_some(())
}

#[test]
fn the_default_is_five_failures_and_the_reset_timeout_is_set() {
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    for _ in 0..4 {
        plain(false);
    }
    assert_eq!(plain(true), Some(()));
    for _ in 0..5 {
        plain(false);
    }
    clock.advance(Duration::from_secs(59));
    assert_eq!(plain(true), None);
    clock.advance(Duration::from_secs(1));
    assert_eq!(plain(true), Some(()));
}

#[circuit_breaker(reset_timeout = "60s", success_threshold = 2)]
fn twice(works: bool) -> Option<()> {
    works.then_some(())
}

/// `success_threshold=2`: a failure after the first success opens the circuit again.
#[test]
fn two_successes_close_the_circuit() {
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    for _ in 0..5 {
        twice(false);
    }
    clock.advance(Duration::from_secs(60));
    assert_eq!((twice(true), twice(false), twice(true)), (Some(()), None, None));
    clock.advance(Duration::from_secs(60));
    assert_eq!((twice(true), twice(true), twice(true)), (Some(()), Some(()), Some(())));
}

#[test]
fn a_breaker_by_hand_and_its_manual_control() {
    let bank = CircuitBreaker::new().failure_threshold(3).reset_timeout(Duration::from_secs(60));
    let clock = testing::clock();
    assert_eq!(bank.run(|| None::<()>), None);
    assert_eq!((bank.state(), bank.snapshot().consecutive_failures), (CircuitState::Closed, 1));

    bank.trip(); // `open()`; closes after `reset_timeout`
    assert!(bank.try_acquire().is_err());
    clock.advance(Duration::from_secs(60));
    bank.try_acquire().expect("the time is over").success();
    assert_eq!(bank.state(), CircuitState::Closed);

    bank.trip();
    bank.probe(); // `half_open()`
    assert_eq!(bank.state(), CircuitState::HalfOpen);
    bank.reset(); // `close()`
    assert_eq!(bank.state(), CircuitState::Closed);
}

/// The lock of `pybreaker` would deadlock two calls that wait for each other.
#[test]
fn calls_run_concurrently() {
    let (bank, both) = (CircuitBreaker::new(), Barrier::new(2));
    let meet = || bank.run(|| Ok::<BarrierWaitResult, Rejected>(both.wait()));
    thread::scope(|scope| {
        let calls = [scope.spawn(meet), scope.spawn(meet)];
        assert!(calls.into_iter().all(|call| call.join().is_ok_and(|outcome| outcome.is_ok())));
    });
}

#[circuit_breaker(failure_threshold = 2)]
async fn charge_async() -> Result<(), ChargeError> {
    tokio::task::yield_now().await;
    Err(ChargeError::Bank)
}

/// `@breaker` on an `async def` counts the coroutine as a success.
#[tokio::test]
async fn failures_of_async_functions_open_the_circuit() {
    let _state = testing::fresh_state();
    for _ in 0..2 {
        assert_eq!(charge_async().await, Err(ChargeError::Bank));
    }
    assert!(is_rejected(&charge_async().await));
}
