//! The failure behind an open circuit.

use std::error::Error;
use std::fmt;

use resilience::{CircuitBreaker, FailureClass, Rejected, circuit_breaker, retry, testing};

use crate::SECOND;

#[derive(Debug)]
enum ApiError {
    Http(u16),
    Rejected(Rejected),
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(status) => write!(f, "status {status}"),
            Self::Rejected(rejected) => rejected.fmt(f),
        }
    }
}

impl Error for ApiError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Http(_) => None,
            Self::Rejected(rejected) => Some(rejected),
        }
    }
}

impl From<Rejected> for ApiError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

fn source(rejected: &Rejected) -> Option<String> {
    rejected.source().map(ToString::to_string)
}

#[test]
fn the_source_of_a_rejection_is_the_failure_that_opened_the_breaker() {
    #[retry(attempts = 5, base_delay = "10ms")]
    #[circuit_breaker(failure_threshold = 2, reset_timeout = "60s")]
    fn get(status: u16) -> Result<(), ApiError> {
        Err(ApiError::Http(status))
    }
    let (_clock, _state) = (testing::clock(), testing::fresh_state());
    for _ in 0..2 {
        let Err(ApiError::Rejected(rejected)) = get(500) else { panic!("open") };
        assert_eq!(source(&rejected).as_deref(), Some("status 500"));
    }
}

#[test]
fn the_failure_that_closed_the_gap_counts_and_closing_forgets() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_threshold(1).reset_timeout(SECOND);
    let fail = |text: &str| breaker.try_acquire().unwrap().report(FailureClass::transient(), &text);
    let rejection = || source(&breaker.try_acquire().unwrap_err());
    fail("first");
    assert_eq!(rejection().as_deref(), Some("first"));
    clock.advance(SECOND);
    let trial = breaker.try_acquire().unwrap();
    assert_eq!(rejection().as_deref(), Some("first"), "half-open, with a trial call running");
    trial.report(FailureClass::transient(), &"second");
    assert_eq!(rejection().as_deref(), Some("second"));
    assert_eq!(breaker.snapshot().cause.as_deref(), Some("second"));
    breaker.force_close();
    breaker.trip();
    assert_eq!((rejection(), breaker.snapshot().cause), (None, None));
    breaker.force_open();
    assert_eq!(rejection(), None);
}

#[test]
fn an_error_with_debug_only_and_an_error_without_text_work() {
    #[derive(Debug)]
    struct OnlyDebug;
    struct Silent;
    impl From<Rejected> for OnlyDebug {
        fn from(_: Rejected) -> Self {
            Self
        }
    }
    impl From<Rejected> for Silent {
        fn from(_: Rejected) -> Self {
            Self
        }
    }
    #[circuit_breaker(failure_threshold = 1, name = "debug only")]
    fn debug() -> Result<(), OnlyDebug> {
        Err(OnlyDebug)
    }
    #[circuit_breaker(failure_threshold = 1, name = "silent")]
    fn silent() -> Result<(), Silent> {
        Err(Silent)
    }
    assert!(debug().is_err());
    assert!(silent().is_err());
    let cause = |name: &str| circuit_breaker(name).unwrap().snapshot().cause;
    assert_eq!((cause("debug only").as_deref(), cause("silent")), (Some("OnlyDebug"), None));
}

#[test]
fn a_long_text_is_cut_at_a_character() {
    let breaker = CircuitBreaker::new().failure_threshold(1);
    breaker.try_acquire().unwrap().report(true, &"ä".repeat(10_000));
    let cause = breaker.snapshot().cause.unwrap();
    assert!(cause.len() < 1100 && cause.ends_with("ä…"), "{}", cause.len());
}

#[test]
fn a_panic_in_display_changes_nothing() {
    struct Panics;
    impl fmt::Display for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("in `Display`")
        }
    }
    let breaker = CircuitBreaker::new().failure_threshold(1);
    breaker.try_acquire().unwrap().report(true, &Panics);
    assert_eq!(source(&breaker.try_acquire().unwrap_err()), None);
}

#[test]
fn calls_by_hand_describe_their_errors() {
    let breaker = CircuitBreaker::new().failure_threshold(1);
    let call = || -> Result<(), ApiError> {
        let call = breaker.on(|_: &ApiError| true).describe(ToString::to_string);
        call.on_ok(|()| false).run(|| Err(ApiError::Http(502)))
    };
    assert!(matches!(call(), Err(ApiError::Http(502))));
    let Err(ApiError::Rejected(rejected)) = call() else { panic!("open") };
    assert_eq!(source(&rejected).as_deref(), Some("status 502"));
}
