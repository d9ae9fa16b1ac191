//! The failures to retry.

use std::cell::Cell;

use resilience::{Classify, Effect, FailureClass, StopReason, retry, testing};

use crate::count;

#[derive(Debug, PartialEq)]
enum ApiError {
    Reset,
    NotFound,
}

impl ApiError {
    fn is_transient(&self) -> bool {
        *self == Self::Reset
    }
}

/// An error with a classification.
#[derive(Debug, PartialEq)]
struct Knowing(ApiError);

impl Classify for Knowing {
    fn classify(&self) -> FailureClass {
        FailureClass::from(self.0.is_transient())
    }
}

#[test]
fn on_selects_errors() {
    #[retry(on = ApiError::is_transient)]
    fn by_path(calls: &Cell<u32>, error: fn() -> ApiError) -> Result<(), ApiError> {
        count(calls);
        Err(error())
    }
    #[retry(on = |error| matches!(error, ApiError::Reset))]
    fn by_closure(calls: &Cell<u32>, error: fn() -> ApiError) -> Result<(), ApiError> {
        count(calls);
        Err(error())
    }
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    for function in [by_path as fn(&Cell<u32>, _) -> _, by_closure] {
        assert_eq!(function(&calls, || ApiError::Reset), Err(ApiError::Reset));
        assert_eq!(calls.replace(0), 3);
        assert_eq!(function(&calls, || ApiError::NotFound), Err(ApiError::NotFound));
        assert_eq!(calls.replace(0), 1);
    }
}

#[test]
fn classify_is_the_default() {
    #[retry]
    fn knowing(calls: &Cell<u32>) -> Result<(), Knowing> {
        count(calls);
        Err(Knowing(ApiError::NotFound))
    }
    #[retry]
    async fn knowing_async(calls: &Cell<u32>) -> Result<(), Knowing> {
        count(calls);
        Err(Knowing(ApiError::NotFound))
    }
    #[retry]
    fn bounded<E: Classify>(calls: &Cell<u32>, error: fn() -> E) -> Result<(), E> {
        count(calls);
        Err(error())
    }
    // Without a classification every error is retried. A type parameter needs a bound or `on`.
    #[retry]
    fn unknowing(calls: &Cell<u32>) -> Result<(), ApiError> {
        count(calls);
        Err(ApiError::NotFound)
    }
    #[retry(on = |_| true)]
    fn unbounded<E>(calls: &Cell<u32>, error: fn() -> E) -> Result<(), E> {
        count(calls);
        Err(error())
    }
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    assert!(knowing(&calls).is_err());
    assert_eq!(calls.replace(0), 1);
    assert!(futures::executor::block_on(knowing_async(&calls)).is_err());
    assert_eq!(calls.replace(0), 1);
    assert!(bounded(&calls, || Knowing(ApiError::NotFound)).is_err());
    assert_eq!(calls.replace(0), 1);
    assert!(unknowing(&calls).is_err());
    assert_eq!(calls.replace(0), 3);
    assert!(unbounded(&calls, || Knowing(ApiError::NotFound)).is_err());
    assert_eq!(calls.replace(0), 3);
}

#[test]
fn a_non_idempotent_call_is_retried_only_if_not_applied() {
    #[retry(idempotent = false, on = |sent| FailureClass::transient().effect(*sent))]
    fn pay(calls: &Cell<u32>, sent: Effect) -> Result<(), Effect> {
        count(calls);
        Err(sent)
    }
    #[retry(idempotent = keyed, on = |sent| FailureClass::transient().effect(*sent))]
    fn pay_keyed(calls: &Cell<u32>, sent: Effect, keyed: bool) -> Result<(), Effect> {
        count(calls);
        Err(sent)
    }
    // A literal `false` is a compile error: no error of this type would be retried.
    #[retry(idempotent = 1 > 2)]
    fn unclassified(calls: &Cell<u32>) -> Result<(), ()> {
        count(calls);
        Err(())
    }
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    for (sent, expected) in
        [(Effect::NotSent, 3), (Effect::Refused, 3), (Effect::Unknown, 1), (Effect::Applied, 1)]
    {
        assert_eq!(pay(&calls, sent), Err(sent));
        assert_eq!(calls.replace(0), expected, "{sent:?}");
        assert_eq!(pay_keyed(&calls, sent, true), Err(sent));
        assert_eq!(calls.replace(0), 3);
        assert_eq!(pay_keyed(&calls, sent, false), Err(sent));
        assert_eq!(calls.replace(0), expected);
    }
    // The side effect of an unclassified error may have been applied.
    assert_eq!(unclassified(&calls), Err(()));
    assert_eq!(calls.get(), 1);
}

#[test]
fn once_allows_one_extra_attempt() {
    thread_local!(static STOPPED: Cell<Option<StopReason>> = const { Cell::new(None) });

    #[retry(attempts = 9, on = |class| *class, on_give_up = |event| STOPPED.set(Some(event.reason)))]
    fn sync(left: &mut Vec<FailureClass>) -> Result<(), FailureClass> {
        if left.is_empty() { Ok(()) } else { Err(left.remove(0)) }
    }
    #[retry(attempts = 9, on = |class| *class)]
    async fn later(left: &mut Vec<FailureClass>) -> Result<(), FailureClass> {
        std::future::ready(()).await;
        if left.is_empty() { Ok(()) } else { Err(left.remove(0)) }
    }
    let _guard = testing::no_waits();
    let (passes, once) = (FailureClass::transient(), FailureClass::transient().once());
    let throttled = FailureClass::throttled(None).effect(Effect::Refused).once();
    for (failures, left, result) in [
        (&[once][..], 0, Ok(())),
        (&[once, once, passes], 1, Err(once)),
        // Whatever failed in between, of whichever kind.
        (&[once, passes, once, passes], 1, Err(once)),
        (&[throttled, passes, passes, once], 0, Err(once)),
        (&[passes, passes, once, passes, passes], 0, Ok(())),
    ] {
        let mut failing = failures.to_vec();
        assert_eq!(sync(&mut failing), result, "{failures:?}");
        assert_eq!(failing.len(), left, "{failures:?}");
        assert_eq!(STOPPED.take(), result.err().map(|_| StopReason::Permanent));
        let mut failing = failures.to_vec();
        assert_eq!(futures::executor::block_on(later(&mut failing)), result, "{failures:?}");
        assert_eq!(failing.len(), left, "{failures:?}");
    }
    // The second call starts without history.
    assert_eq!(sync(&mut vec![once]), Ok(()));
}
