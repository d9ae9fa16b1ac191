//! The attribute: its requirements on the function, and the parts left unchanged.

use std::cell::Cell;

use resilience::{
    CircuitState, Classify, FailureClass, Rejected, RejectedKind, circuit_breaker, testing,
};

use crate::Failure;

fn down(calls: &Cell<u32>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(Failure::Down)
}

#[circuit_breaker]
fn bare(calls: &Cell<u32>) -> Result<(), Failure> {
    down(calls)
}

#[test]
fn the_default_opens_after_five_failures_for_thirty_seconds() {
    let (clock, _state, calls) = (testing::clock(), testing::fresh_state(), Cell::new(0));
    for _ in 0..10 {
        assert!(bare(&calls).is_err());
    }
    assert_eq!(calls.get(), 5);
    let Err(Failure::Rejected(rejected)) = bare(&calls) else { panic!("open") };
    let expected = Rejected::new(
        RejectedKind::CircuitOpen,
        "circuit_breaker::attribute::bare",
        Some(std::time::Duration::from_secs(30)),
    );
    assert_eq!(rejected, expected);
    clock.advance(std::time::Duration::from_secs(30));
    assert_eq!(bare(&calls), Err(Failure::Down));
    assert_eq!(calls.get(), 6, "one probe");
    assert!(bare(&calls).is_err());
    assert_eq!(calls.get(), 6);
}

/// The behavior of `pybreaker`, in one line.
#[test]
fn the_default_breaker_is_one_line() {
    #[circuit_breaker(failure_threshold = 3, reset_timeout = "10s")]
    async fn fetch(ok: bool) -> Result<u32, Failure> {
        if ok { Ok(7) } else { Err(Failure::Down) }
    }
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    let run = |ok| futures::executor::block_on(fetch(ok));
    for _ in 0..3 {
        assert_eq!(run(false), Err(Failure::Down));
    }
    assert!(matches!(run(true), Err(Failure::Rejected(_))));
    clock.advance(std::time::Duration::from_secs(10));
    assert_eq!(run(true), Ok(7));
    assert_eq!(run(false), Err(Failure::Down));
    assert_eq!(run(true), Ok(7));
}

#[test]
fn classify_decides_unless_on_is_given() {
    #[derive(Debug)]
    enum ApiError {
        Busy,
        NotFound,
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
                Self::Busy => FailureClass::throttled(None),
                Self::NotFound | Self::Rejected => FailureClass::permanent(),
            }
        }
    }
    #[circuit_breaker(failure_threshold = 2)]
    fn by_predicate(error: ApiError) -> Result<(), ApiError> {
        Err(error)
    }
    #[circuit_breaker(failure_threshold = 2, on = |error| matches!(error, ApiError::NotFound))]
    fn other(error: ApiError) -> Result<(), ApiError> {
        Err(error)
    }
    for _ in 0..5 {
        assert!(matches!(by_predicate(ApiError::NotFound), Err(ApiError::NotFound)));
        assert!(matches!(other(ApiError::Busy), Err(ApiError::Busy)));
    }
    for _ in 0..2 {
        assert!(matches!(by_predicate(ApiError::Busy), Err(ApiError::Busy)));
        assert!(matches!(other(ApiError::NotFound), Err(ApiError::NotFound)));
    }
    assert!(matches!(by_predicate(ApiError::Busy), Err(ApiError::Rejected)));
    assert!(matches!(other(ApiError::NotFound), Err(ApiError::Rejected)));
}

#[test]
fn every_error_type_can_hold_a_rejection() {
    #[circuit_breaker(failure_threshold = 1)]
    fn option() -> Option<()> {
        None
    }
    #[circuit_breaker(failure_threshold = 1)]
    fn boxed() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Err("down".into())
    }
    #[circuit_breaker(failure_threshold = 1)]
    fn anyhow() -> anyhow::Result<()> {
        anyhow::bail!("down")
    }
    #[circuit_breaker(failure_threshold = 1)]
    fn eyre() -> eyre::Result<()> {
        eyre::bail!("down")
    }
    #[circuit_breaker(failure_threshold = 1, error = |rejected| rejected.to_string())]
    fn text() -> Result<(), String> {
        Err("down".into())
    }
    for _ in 0..2 {
        assert_eq!(option(), None);
    }
    assert_eq!(boxed().unwrap_err().to_string(), "down");
    assert!(boxed().unwrap_err().is::<Rejected>());
    assert_eq!(anyhow().unwrap_err().to_string(), "down");
    assert!(anyhow().unwrap_err().is::<Rejected>());
    assert_eq!(eyre().unwrap_err().to_string(), "down");
    assert!(eyre().unwrap_err().is::<Rejected>());
    assert_eq!(text().unwrap_err(), "down");
    assert!(text().unwrap_err().contains("text: circuit open; retry after "));
}

#[test]
fn settings_may_be_constants() {
    const FAILURES: u32 = 2;
    const OPEN: std::time::Duration = std::time::Duration::from_secs(7);
    const RATE: f64 = 0.5;
    const CALLS: u32 = 4;
    const PERIOD: std::time::Duration = std::time::Duration::from_secs(60);
    #[circuit_breaker(failure_threshold = FAILURES, reset_timeout = OPEN, name = "constants")]
    fn counted() -> Result<(), Failure> {
        Err(Failure::Down)
    }
    #[circuit_breaker(failure_rate = RATE, window = CALLS, min_calls = CALLS - 1, name = "calls")]
    fn calls() -> Result<(), Failure> {
        Err(Failure::Down)
    }
    #[circuit_breaker(failure_rate = RATE, window = PERIOD, min_calls = 3, name = "period")]
    fn period() -> Result<(), Failure> {
        Err(Failure::Down)
    }
    let _clock = testing::clock();
    for _ in 0..2 {
        assert_eq!(counted(), Err(Failure::Down));
    }
    for _ in 0..3 {
        assert_eq!(calls(), Err(Failure::Down));
        assert_eq!(period(), Err(Failure::Down));
    }
    for (name, open_for) in [("constants", 7), ("calls", 30), ("period", 30)] {
        let snapshot = circuit_breaker(name).unwrap().snapshot();
        assert_eq!(snapshot.state, CircuitState::Open, "{name}");
        assert_eq!(snapshot.open_for, Some(std::time::Duration::from_secs(open_for)), "{name}");
    }
}

#[test]
fn generic_functions_share_one_breaker() {
    #[circuit_breaker(failure_threshold = 2)]
    fn generic<T>(_: T) -> Result<(), Failure> {
        Err(Failure::Down)
    }
    assert_eq!(generic(1), Err(Failure::Down));
    assert_eq!(generic("a"), Err(Failure::Down));
    assert!(matches!(generic(1.0), Err(Failure::Rejected(_))));
}

trait Provided {
    #[circuit_breaker(failure_threshold = 2)]
    fn provided(&self) -> Result<(), Failure> {
        Err(Failure::Down)
    }
}

impl Provided for u8 {}
impl Provided for u16 {}

#[test]
fn a_provided_method_shares_a_breaker_among_all_implementors() {
    assert_eq!(1_u8.provided(), Err(Failure::Down));
    assert_eq!(1_u16.provided(), Err(Failure::Down));
    assert!(matches!(1_u8.provided(), Err(Failure::Rejected(_))));
}

#[test]
fn jitter_recovery_and_shadow_are_keys() {
    #[circuit_breaker(
        failure_threshold = 1,
        reset_timeout = "10s",
        jitter = 0.5,
        recovery = "20s",
        name = "new keys"
    )]
    fn call(ok: bool) -> Option<()> {
        ok.then_some(())
    }
    #[circuit_breaker(failure_threshold = 1, shadow)]
    fn bare_shadow() -> Result<(), Failure> {
        Err(Failure::Down)
    }
    #[circuit_breaker(failure_threshold = 1, shadow = true)]
    async fn constant_shadow() -> Result<(), Failure> {
        Err(Failure::Down)
    }
    let (clock, _draws) = (testing::clock(), testing::draws([0.5]));
    call(false);
    let snapshot = || circuit_breaker("new keys").unwrap().snapshot();
    assert_eq!(snapshot().open_for, Some(std::time::Duration::from_millis(12_500)));
    clock.advance(std::time::Duration::from_millis(12_500));
    assert_eq!(call(true), Some(()));
    assert_eq!(snapshot().recovering_for, Some(std::time::Duration::from_secs(20)));
    assert_eq!(call(true), None);
    for _ in 0..3 {
        assert_eq!(bare_shadow(), Err(Failure::Down));
        assert_eq!(futures::executor::block_on(constant_shadow()), Err(Failure::Down));
    }
}
