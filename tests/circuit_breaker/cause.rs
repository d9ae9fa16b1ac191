//! The failure behind an open circuit.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex};

use resilience::{
    ChangeReason, CircuitBreaker, CircuitSnapshot, CircuitState, FailureClass, FailureKind,
    OnCancel, Rejected, StateChange, circuit_breaker, retry, testing,
};

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
    assert!(matches!(get(500), Err(ApiError::Http(500))));
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
fn a_rejection_keeps_its_source_after_the_breaker_has_moved_on_or_is_gone() {
    let breaker = CircuitBreaker::new().failure_threshold(1);
    let open = |text: &str| {
        breaker.try_acquire().unwrap().report(FailureClass::transient(), &text);
        breaker.try_acquire().unwrap_err()
    };
    let first = open("first");
    breaker.force_close();
    let second = open("second");
    assert_eq!(source(&first).as_deref(), Some("first"));
    assert_eq!(source(&second.clone()).as_deref(), Some("second"));
    drop(breaker);
    assert_eq!(source(&second).as_deref(), Some("second"));
    assert!(format!("{second:?}").contains("\"second\""), "{second:?}");
    // A source of the caller's own comes first.
    let blamed = second.because(fmt::Error);
    assert_eq!(source(&blamed), Some(fmt::Error.to_string()));
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

/// The changes of a breaker, in order.
fn recorded(breaker: CircuitBreaker) -> (CircuitBreaker, Arc<Mutex<Vec<StateChange>>>) {
    let changes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&changes);
    let hook = move |change: &StateChange| seen.lock().unwrap().push(change.clone());
    (breaker.on_state_change_with(hook), changes)
}

fn last(changes: &Mutex<Vec<StateChange>>) -> (ChangeReason, Option<String>) {
    let changes = changes.lock().unwrap();
    let last = changes.last().expect("a change");
    (last.reason, last.cause.as_deref().map(str::to_owned))
}

#[test]
fn a_change_has_the_kind_and_the_text_of_the_failure() {
    let clock = testing::clock();
    let (breaker, changes) = recorded(CircuitBreaker::new().failure_threshold(1));
    let report = |class| breaker.try_acquire().unwrap().report(class, &"status 429");
    report(FailureClass::throttled(None));
    let text = Some("status 429".to_owned());
    assert_eq!(last(&changes), (ChangeReason::Failure(FailureKind::Throttled), text.clone()));
    clock.advance(30 * SECOND);
    // The trial call fails.
    report(FailureClass::transient());
    assert_eq!(last(&changes), (ChangeReason::Failure(FailureKind::Transient), text));
    assert_eq!(changes.lock().unwrap()[1].reason, ChangeReason::OpenTimeOver);
    breaker.force_close();
    breaker.try_acquire().unwrap().failure();
    assert_eq!(last(&changes), (ChangeReason::Failure(FailureKind::Transient), None));
    breaker.force_close();
    breaker.trip();
    assert_eq!(last(&changes), (ChangeReason::Manual, None));
}

#[test]
fn a_change_tells_a_panic_and_a_cancelled_call_apart() {
    let breaker = CircuitBreaker::new().failure_threshold(1).on_cancel(OnCancel::Failure);
    let (breaker, changes) = recorded(breaker);
    drop(breaker.try_acquire());
    let cancelled = Some("the call was cancelled".to_owned());
    assert_eq!(last(&changes), (ChangeReason::Cancelled, cancelled));
    breaker.force_close();
    let call = || breaker.run(|| -> Option<()> { panic!("in the body") });
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err());
    assert_eq!(breaker.state(), CircuitState::Open); // delivers the change
    let panicked = Some("the call panicked".to_owned());
    assert_eq!(last(&changes), (ChangeReason::Panic, panicked));
}

#[test]
fn a_change_tells_slow_calls_from_failures() {
    let clock = testing::clock();
    let rated = || CircuitBreaker::new().count_window(4).min_calls(2).slow_call(SECOND);
    let (breaker, changes) = recorded(rated().failure_rate(0.5));
    for _ in 0..2 {
        let guard = breaker.try_acquire().unwrap();
        clock.advance(2 * SECOND);
        guard.success();
    }
    assert_eq!(last(&changes), (ChangeReason::SlowCalls, None));
    // A slow success beside a failure, and a quick success beside a slow success.
    for (failure, slow) in [(true, [false, true]), (false, [true, false])] {
        let (breaker, changes) = recorded(rated().failure_rate(0.9).slow_rate(0.5));
        for slow in slow {
            let guard = breaker.try_acquire().unwrap();
            clock.advance(if slow { 2 * SECOND } else { SECOND / 2 });
            if failure && !slow {
                guard.report(FailureClass::throttled(None), &"busy");
            } else {
                guard.success();
            }
        }
        assert_eq!(last(&changes), (ChangeReason::SlowCalls, None));
    }
    // A success completes the minimum of a rate.
    let (breaker, changes) = recorded(rated().failure_rate(0.5));
    breaker.try_acquire().unwrap().report(FailureClass::throttled(None), &"busy");
    breaker.try_acquire().unwrap().success();
    assert_eq!(last(&changes), (ChangeReason::Failure(FailureKind::Throttled), None));
    // Calls that hang.
    let (breaker, changes) = recorded(rated());
    let hanging = [(); 2].map(|()| breaker.try_acquire().unwrap());
    clock.advance(2 * SECOND);
    assert!(breaker.try_acquire().is_err());
    assert_eq!(last(&changes), (ChangeReason::SlowCalls, None));
    drop(hanging);
}

/// Two openings in quick succession: while the hook is busy with an earlier change, both wait in the
/// queue, and each keeps its own failure.
#[test]
fn each_change_keeps_its_own_failure() {
    let (breaker, changes) = recorded(CircuitBreaker::new().failure_threshold(1));
    let breaker = Arc::new(breaker);
    struct Text<'b>(&'b CircuitBreaker);
    impl fmt::Display for Text<'_> {
        /// The breaker closes and opens again while the text of the first failure is made.
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.force_close();
            let guard = self.0.try_acquire().map_err(|_| fmt::Error)?;
            guard.report(FailureClass::transient(), &"second");
            f.write_str("first")
        }
    }
    let guard = breaker.try_acquire().unwrap();
    guard.report(FailureClass::transient(), &Text(&breaker));
    let changes = changes.lock().unwrap();
    let causes: Vec<_> = changes.iter().map(|change| change.cause.as_deref()).collect();
    assert_eq!(causes, [Some("first"), None, Some("second")]);
    let numbers: Vec<_> = changes.iter().map(|change| change.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let rejected = breaker.try_acquire().unwrap_err();
    assert_eq!(source(&rejected).as_deref(), Some("second"));
}

#[test]
fn a_text_that_panics_releases_the_change() {
    struct Panics;
    impl fmt::Display for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("in Display")
        }
    }
    let (breaker, changes) = recorded(CircuitBreaker::new().failure_threshold(1));
    breaker.try_acquire().unwrap().report(FailureClass::transient(), &Panics);
    assert_eq!(last(&changes), (ChangeReason::Failure(FailureKind::Transient), None));
}

#[test]
fn the_total_of_rejected_calls_never_goes_down() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_threshold(1);
    let mut total = 0;
    for _ in 0..3 {
        breaker.try_acquire().unwrap().failure();
        for _ in 0..4 {
            total += u64::from(breaker.try_acquire().is_err());
        }
        let open = breaker.snapshot();
        assert_eq!((open.rejected, open.rejected_in_state), (total, 4));
        clock.advance(30 * SECOND);
        breaker.try_acquire().unwrap().success();
        let closed = breaker.snapshot();
        assert_eq!((closed.rejected, closed.rejected_in_state), (total, 0));
        breaker.reset();
        breaker.restore(&CircuitSnapshot::default());
        assert_eq!(breaker.snapshot().rejected, total);
    }
    assert_eq!(total, 12);
}

#[test]
fn the_text_of_the_cause_has_at_most_a_kilobyte_with_the_mark_of_the_cut() {
    for text in ["é".repeat(9999), "x".repeat(1025), "x".repeat(1024)] {
        let breaker = CircuitBreaker::new().failure_threshold(1);
        breaker.try_acquire().unwrap().report(FailureClass::transient(), &text);
        let cause = breaker.snapshot().cause.unwrap();
        assert!((1022..=1024).contains(&cause.len()), "{}", cause.len());
        assert_eq!(cause.ends_with('…'), text.len() > 1024);
    }
}
