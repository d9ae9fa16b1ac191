//! Errors as answers of the dependency, and neutral calls.

use resilience::{
    CircuitBreaker, CircuitState, Classify, Effect, FailureClass, IdempotencyRejection, Rejected,
    RejectedKind, circuit_breaker, testing,
};

use crate::{SECOND, fail, is_open};

#[derive(Clone, Debug)]
enum ApiError {
    Down,
    NotFound,
    NotSent,
    Local,
    Rejected,
}

impl From<Rejected> for ApiError {
    fn from(_: Rejected) -> Self {
        Self::Rejected
    }
}

impl Classify for ApiError {
    fn classify(&self) -> FailureClass {
        match self {
            Self::Down => FailureClass::transient(),
            Self::NotFound | Self::Rejected => FailureClass::permanent(),
            Self::NotSent => FailureClass::permanent().effect(Effect::NotSent),
            Self::Local => FailureClass::transient().neutral(),
        }
    }
}

#[test]
fn one_failure_in_a_hundred_answers_does_not_open_the_breaker() {
    #[circuit_breaker(failure_threshold = 5, name = "answers")]
    fn get(error: ApiError) -> Result<(), ApiError> {
        Err(error)
    }
    for call in 0..10_000 {
        let error = if call % 100 == 0 { ApiError::Down } else { ApiError::NotFound };
        assert!(!matches!(get(error), Err(ApiError::Rejected)), "call {call}");
    }
    assert_eq!(circuit_breaker("answers").unwrap().state(), CircuitState::Closed);
}

#[test]
fn an_answer_closes_a_half_open_breaker() {
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "1s", name = "answer closes")]
    fn get(error: ApiError) -> Result<(), ApiError> {
        Err(error)
    }
    let clock = testing::clock();
    let state = || circuit_breaker("answer closes").unwrap().state();
    let _ = get(ApiError::Down);
    for neutral in [ApiError::NotSent, ApiError::Local] {
        clock.advance(SECOND);
        let _ = get(neutral);
        assert_eq!(state(), CircuitState::HalfOpen);
    }
    let _ = get(ApiError::NotFound);
    assert_eq!(state(), CircuitState::Closed);
}

#[test]
fn answers_count_in_a_window_and_neutral_calls_do_not() {
    let breaker = CircuitBreaker::new().failure_rate(0.5).count_window(10).min_calls(4);
    let call = |error: ApiError| {
        let _: Result<(), ApiError> = breaker.on(ApiError::classify).run(|| Err(error));
    };
    for error in [ApiError::NotSent, ApiError::Local] {
        call(error);
    }
    assert_eq!(breaker.snapshot().calls, 0);
    for error in [ApiError::NotFound, ApiError::NotFound, ApiError::NotFound, ApiError::Down] {
        call(error);
    }
    assert_eq!((breaker.snapshot().calls, breaker.snapshot().failures), (4, 1));
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_neutral_call_keeps_a_run_of_failures() {
    let breaker = CircuitBreaker::new().failure_threshold(3);
    fail(&breaker, 2);
    for class in [
        FailureClass::transient().neutral(),
        FailureClass::permanent().effect(Effect::NotSent),
        Rejected::new(RejectedKind::BulkheadFull, "pool", None).classify(),
        // Decided by the record of the key: the dependency was not called.
        idempotency(IdempotencyRejection::MissingKey),
        idempotency(IdempotencyRejection::KeyReused),
        idempotency(IdempotencyRejection::OutcomeUnknown),
        idempotency(IdempotencyRejection::Undecodable),
        idempotency(IdempotencyRejection::NotStored),
    ] {
        breaker.try_acquire().unwrap().report(class, &"local");
        assert_eq!(breaker.snapshot().consecutive_failures, 2);
    }
    breaker.try_acquire().unwrap().report(true, &"refused");
    assert!(is_open(&breaker));
}

fn idempotency(reason: IdempotencyRejection) -> FailureClass {
    Rejected::new(reason.into(), "charge", None).classify()
}

#[test]
fn on_ok_can_call_a_value_neutral() {
    let breaker = CircuitBreaker::new().failure_threshold(2);
    fail(&breaker, 1);
    let call = |class: FailureClass| -> Result<u8, ApiError> {
        breaker.on(|_: &ApiError| true).on_ok(|_: &u8| class).run(|| Ok(7))
    };
    assert!(matches!(call(FailureClass::permanent().neutral()), Ok(7)));
    assert_eq!(breaker.snapshot().consecutive_failures, 1);
    assert!(matches!(call(FailureClass::permanent()), Ok(7)));
    assert_eq!(breaker.snapshot().consecutive_failures, 0);
}
