//! Values that mean failure: `on_ok`.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use resilience::{
    CircuitBreaker, CircuitState, Classify, FailureClass, Rejected, RejectedKind, circuit_breaker,
    testing,
};

use crate::{Failure, SECOND, is_open};

/// The class of an HTTP status; 404 is final.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "a predicate borrows")]
fn by_status(status: &u16) -> FailureClass {
    match status {
        429 => FailureClass::throttled(None),
        500.. => FailureClass::transient(),
        _ => FailureClass::permanent(),
    }
}

type Answer = Result<u16, Failure>;

fn failures(name: &str) -> u32 {
    circuit_breaker(name).unwrap().snapshot().consecutive_failures
}

#[test]
fn a_transient_value_is_a_failure_and_a_permanent_value_a_success() {
    #[circuit_breaker(failure_threshold = 3, on_ok = by_status, name = "status")]
    fn get(status: u16, calls: &Cell<u32>) -> Answer {
        calls.set(calls.get() + 1);
        Ok(status)
    }
    let calls = Cell::new(0);
    for (status, expected) in [(503, 1), (429, 2), (404, 0), (503, 1), (200, 0), (503, 1), (429, 2)]
    {
        assert_eq!(get(status, &calls), Ok(status), "the value is returned unchanged");
        assert_eq!(failures("status"), expected, "after {status}");
    }
    assert_eq!(get(503, &calls), Ok(503));
    assert_eq!(calls.get(), 8);
    assert!(matches!(get(200, &calls), Err(Failure::Rejected(_))));
    assert_eq!(calls.get(), 8, "not called");
}

#[test]
fn errors_count_as_without_on_ok() {
    #[circuit_breaker(
        failure_threshold = 9,
        on = |failure| *failure == Failure::Down,
        on_ok = by_status,
        name = "both"
    )]
    fn get(answer: Answer) -> Answer {
        answer
    }
    for (answer, expected) in [
        (Ok(503), 1),
        (Err(Failure::Down), 2),
        (Err(Failure::Wrong), 0), // an answer
        (Ok(503), 1),
        (Err(Failure::Down), 2),
        (Ok(500), 3),
        (Ok(404), 0),
        (Err(Failure::Wrong), 0),
    ] {
        assert_eq!(get(answer.clone()), answer);
        assert_eq!(failures("both"), expected, "after {answer:?}");
    }
}

#[test]
fn a_predicate_may_be_a_closure_that_uses_the_arguments() {
    #[circuit_breaker(failure_threshold = 2, on_ok = |status| *status >= worst)]
    async fn result(status: u16, worst: u16) -> Answer {
        Ok(status)
    }
    #[circuit_breaker(failure_threshold = 2, on_ok = |left: &u32| *left == 0, name = "option")]
    fn option(left: Option<u32>) -> Option<u32> {
        left
    }
    let get = |status, worst| futures::executor::block_on(result(status, worst));
    assert_eq!((get(500, 400), get(500, 501), get(500, 400)), (Ok(500), Ok(500), Ok(500)));
    assert_eq!(get(500, 400), Ok(500), "the success between has begun the count anew");
    assert!(matches!(get(200, 400), Err(Failure::Rejected(_))));
    assert_eq!((option(Some(0)), option(Some(1)), option(Some(0))), (Some(0), Some(1), Some(0)));
    assert_eq!((option(None), option(Some(1))), (None, None));
    assert!(is_open(circuit_breaker("option").unwrap()));
}

#[test]
fn on_ok_applies_to_trial_calls() {
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "1s", on_ok = by_status, name = "probe")]
    async fn get(status: u16) -> Answer {
        Ok(status)
    }
    let clock = testing::clock();
    let get = |status| futures::executor::block_on(get(status));
    let state = || circuit_breaker("probe").map(CircuitBreaker::state);
    assert_eq!(get(503), Ok(503));
    clock.advance(SECOND);
    assert_eq!((get(503), state()), (Ok(503), Some(CircuitState::Open)));
    clock.advance(SECOND);
    assert_eq!((get(404), state()), (Ok(404), Some(CircuitState::Closed)));
}

#[test]
fn on_ok_applies_to_windows() {
    #[circuit_breaker(failure_rate = 0.5, window = 4, min_calls = 4, on_ok = by_status, name = "rate")]
    fn get(status: u16) -> Answer {
        Ok(status)
    }
    let state = || circuit_breaker("rate").map(CircuitBreaker::state);
    for status in [200, 200, 200, 503] {
        assert_eq!(get(status), Ok(status));
        assert_eq!(state(), Some(CircuitState::Closed));
    }
    assert_eq!(get(503), Ok(503));
    assert_eq!(state(), Some(CircuitState::Open), "two of four");
}

#[test]
fn on_ok_works_with_slow_calls() {
    #[circuit_breaker(
        failure_threshold = 2,
        window = 4,
        slow_call = "1s",
        slow_rate = 0.5,
        min_calls = 4,
        on_ok = by_status,
        name = "late"
    )]
    fn get(status: u16, clock: &testing::Clock, slow: bool) -> Answer {
        if slow {
            clock.advance(2 * SECOND);
        }
        Ok(status)
    }
    let (clock, state) = (testing::clock(), || circuit_breaker("late").map(CircuitBreaker::state));
    for slow in [true, false, false, true] {
        assert_eq!(state().unwrap_or(CircuitState::Closed), CircuitState::Closed);
        assert_eq!(get(404, &clock, slow), Ok(404));
    }
    assert_eq!(state(), Some(CircuitState::Open), "half of them slow, none a failure");
    circuit_breaker("late").unwrap().reset();
    assert_eq!((get(503, &clock, true), get(503, &clock, false)), (Ok(503), Ok(503)));
    assert_eq!(state(), Some(CircuitState::Open), "two failures");
}

struct Client {
    breaker: Arc<CircuitBreaker>,
    worst: u16,
}

impl Client {
    #[circuit_breaker(breaker = self.breaker, on_ok = |status| *status >= self.worst)]
    async fn get(&mut self, status: u16) -> Answer {
        self.worst -= 1;
        Ok(status)
    }

    #[circuit_breaker(failure_threshold = 1, key = host, on_ok = by_status)]
    fn of_host(host: &str, status: u16) -> Answer {
        let _ = host;
        Ok(status)
    }
}

#[test]
fn on_ok_works_with_a_given_breaker_and_with_keys() {
    let breaker = Arc::new(CircuitBreaker::new().failure_threshold(1));
    let mut client = Client { breaker, worst: 501 };
    assert_eq!(futures::executor::block_on(client.get(499)), Ok(499));
    assert_eq!(futures::executor::block_on(client.get(499)), Ok(499));
    assert!(is_open(&client.breaker), "classified after the body, with the changes of the body");

    assert_eq!(Client::of_host("a", 503), Ok(503));
    assert!(matches!(Client::of_host("a", 200), Err(Failure::Rejected(_))));
    assert_eq!(Client::of_host("b", 200), Ok(200));
}

#[test]
fn a_panic_in_on_ok_counts_and_unwinds() {
    #[circuit_breaker(failure_threshold = 9, on_ok = |_| -> bool { panic!("in `on_ok`") }, name = "panics")]
    fn get() -> Answer {
        Ok(200)
    }
    assert!(catch_unwind(AssertUnwindSafe(get)).is_err());
    assert_eq!(failures("panics"), 1);
}

#[test]
fn a_value_with_a_local_rejection_is_neutral() {
    let breaker = CircuitBreaker::new().failure_threshold(1);
    let full = Rejected::new(RejectedKind::BulkheadFull, "pool", None);
    let seen: Result<u8, Failure> =
        breaker.on(|_: &Failure| true).on_ok(|_: &u8| full.classify()).run(|| Ok(7));
    assert_eq!(seen, Ok(7));
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn by_hand() {
    let breaker = CircuitBreaker::new().failure_threshold(2).name("by hand");
    let on = |failure: &Failure| *failure == Failure::Down;
    let call = |answer: Answer| breaker.on(on).on_ok(by_status).run(|| answer);
    let later = |answer: Answer| {
        futures::executor::block_on(breaker.on(on).on_ok(by_status).run_async(async { answer }))
    };
    let seen = || breaker.snapshot().consecutive_failures;
    for call in [&call as &dyn Fn(Answer) -> Answer, &later] {
        breaker.reset();
        assert_eq!((call(Ok(503)), seen()), (Ok(503), 1));
        assert_eq!((call(Err(Failure::Wrong)), seen()), (Err(Failure::Wrong), 0));
        assert_eq!((call(Ok(503)), seen()), (Ok(503), 1));
        assert_eq!((call(Ok(404)), seen()), (Ok(404), 0));
        assert_eq!((call(Err(Failure::Down)), seen()), (Err(Failure::Down), 1));
        assert_eq!(call(Ok(429)), Ok(429));
        assert!(matches!(call(Ok(200)), Err(Failure::Rejected(_))));
    }
}
