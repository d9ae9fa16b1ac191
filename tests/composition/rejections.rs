//! Rejections by an inner layer, as seen by the outer layers. The error type of these functions has
//! no `Classify` impl, and `on` would give another class.

use std::cell::Cell;
use std::time::Duration;

use resilience::{
    Bulkhead, BulkheadPermit, CircuitBreaker, CircuitState, Classify, Effect, FailureClass,
    RateLimiter, RejectedKind, StopReason, bulkhead, circuit_breaker, fallback, rate_limit, retry,
    testing, timeout,
};
use tokio::time::Instant;

use crate::Failure;

thread_local!(static STOPPED: Cell<Option<StopReason>> = const { Cell::new(None) });

#[test]
fn a_retry_stops_at_a_rejection() {
    static OPEN: CircuitBreaker = CircuitBreaker::new();
    static FULL: Bulkhead = Bulkhead::new(1);
    #[retry(attempts = 3, on = |_| true, on_give_up = |event| STOPPED.set(Some(event.reason)))]
    #[circuit_breaker(breaker = OPEN)]
    fn open() -> Result<(), Failure> {
        unreachable!("open")
    }
    #[retry(attempts = 3, on = |_| true, on_give_up = |event| STOPPED.set(Some(event.reason)))]
    #[bulkhead(bulkhead = FULL)]
    fn full() -> Result<(), Failure> {
        unreachable!("full")
    }
    #[retry(attempts = 3, on = |_| true, on_give_up = |event| STOPPED.set(Some(event.reason)))]
    #[rate_limit(rate = 1, per = "1h")]
    fn limited() -> Result<(), Failure> {
        Ok(())
    }
    OPEN.force_open();
    let _permit = FULL.try_acquire();
    assert_eq!(limited(), Ok(()));
    for (call, kind) in [
        (open as fn() -> Result<(), Failure>, RejectedKind::CircuitOpen),
        (full, RejectedKind::BulkheadFull),
        (limited, RejectedKind::RateLimited),
    ] {
        let Err(Failure::Rejected(rejected)) = call() else { panic!("{kind}") };
        assert_eq!(rejected.kind(), kind);
        assert_eq!(STOPPED.take(), Some(StopReason::Rejected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_with_on_rejection_wait_waits_for_the_reported_time() {
    #[retry(attempts = 3, base_delay = "10ms", on_rejection = "wait")]
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "500ms")]
    async fn open(calls: &Cell<u32>) -> Result<u32, Failure> {
        calls.set(calls.get() + 1);
        if calls.get() == 1 { Err(Failure::Down) } else { Ok(7) }
    }
    #[retry(attempts = 2, on_rejection = "wait")]
    #[rate_limit(rate = 1, per = "2s")]
    async fn limited() -> Result<u32, Failure> {
        Ok(7)
    }
    let (start, calls) = (Instant::now(), Cell::new(0));
    // The second attempt is rejected; the third attempt is the trial call.
    assert_eq!(open(&calls).await, Ok(7));
    assert_eq!((calls.get(), start.elapsed()), (2, Duration::from_millis(500)));
    assert_eq!(limited().await, Ok(7));
    let start = Instant::now();
    assert_eq!(limited().await, Ok(7));
    assert_eq!(start.elapsed(), Duration::from_secs(2));
}

#[test]
fn a_breaker_outside_ignores_a_rejection() {
    static OUTER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
    static INNER: CircuitBreaker = CircuitBreaker::new();
    #[circuit_breaker(breaker = OUTER, on = |_| true)]
    #[circuit_breaker(breaker = INNER)]
    fn call() -> Result<(), Failure> {
        Err(Failure::Down)
    }
    INNER.force_open();
    for _ in 0..3 {
        assert!(matches!(call(), Err(Failure::Rejected(_))));
    }
    assert_eq!(OUTER.state(), CircuitState::Closed);
    INNER.reset();
    assert_eq!(call(), Err(Failure::Down));
    assert_eq!(OUTER.state(), CircuitState::Open);
}

#[test]
fn rejections_of_functions_with_an_option_are_recognized() {
    static OUTER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
    static INNER: CircuitBreaker = CircuitBreaker::new();
    #[circuit_breaker(breaker = OUTER)]
    #[retry(attempts = 3)]
    #[circuit_breaker(breaker = INNER)]
    fn call(calls: &Cell<u32>) -> Option<()> {
        calls.set(calls.get() + 1);
        None
    }
    let (_guard, calls) = (testing::no_waits(), Cell::new(0));
    INNER.force_open();
    assert_eq!((call(&calls), calls.get()), (None, 0));
    assert_eq!(OUTER.state(), CircuitState::Closed);
    INNER.reset();
    assert_eq!((call(&calls), calls.get()), (None, 3));
    assert_eq!(OUTER.state(), CircuitState::Open);
}

#[test]
fn a_failure_from_a_fallback_is_no_rejection() {
    static INNER: CircuitBreaker = CircuitBreaker::new();
    static OUTER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
    #[circuit_breaker(breaker = OUTER)]
    #[fallback(with = |_| Err(Failure::Wrong), on = |_| true)]
    #[circuit_breaker(breaker = INNER)]
    fn call() -> Result<(), Failure> {
        Ok(())
    }
    INNER.force_open();
    assert_eq!(call(), Err(Failure::Wrong));
    assert_eq!(OUTER.state(), CircuitState::Open, "the failure of the fallback counts");
}

#[test]
fn a_rejection_does_not_affect_the_class_of_the_next_failure() {
    static INNER: CircuitBreaker = CircuitBreaker::new();
    #[retry(attempts = 3, base_delay = "1ms", on = |_| false, on_rejection = "wait")]
    #[circuit_breaker(breaker = INNER)]
    fn call(calls: &Cell<u32>) -> Result<(), Failure> {
        calls.set(calls.get() + 1);
        Err(Failure::Wrong)
    }
    let (_clock, calls) = (testing::clock(), Cell::new(0));
    INNER.trip();
    // A rejection, a wait, and then an error that `on` declines.
    assert_eq!((call(&calls), calls.get()), (Err(Failure::Wrong), 1));
}

/// An unknown attribute may move the body into a function, where the signal is not accessible.
#[test]
fn an_unknown_attribute_between_layers_only_hides_rejections() {
    static INNER: CircuitBreaker = CircuitBreaker::new();
    #[retry(attempts = 2, base_delay = "1ms")]
    #[test_attributes::passes]
    #[circuit_breaker(breaker = INNER)]
    fn call() -> Result<(), Failure> {
        unreachable!("open")
    }
    let _guard = testing::no_waits();
    INNER.force_open();
    assert!(matches!(call(), Err(Failure::Rejected(_))));
}

mod test_attributes {
    pub(super) use tracing::instrument as passes;
}

#[test]
fn async_trait_methods_recognize_rejections() {
    #[async_trait::async_trait]
    trait Fetch {
        async fn fetch(&mut self, text: String) -> Result<(), Failure>;
    }
    struct Client {
        breaker: std::sync::Arc<CircuitBreaker>,
        calls: u32,
    }
    #[async_trait::async_trait]
    impl Fetch for Client {
        #[retry(attempts = 3, base_delay = "1ms")]
        #[circuit_breaker(breaker = self.breaker)]
        async fn fetch(&mut self, text: String) -> Result<(), Failure> {
            self.calls += u32::try_from(text.len()).unwrap();
            Err(Failure::Down)
        }
    }
    let _guard = testing::no_waits();
    let mut client = Client { breaker: std::sync::Arc::default(), calls: 0 };
    let mut fetch = || futures::executor::block_on(client.fetch("a".into()));
    assert_eq!(fetch(), Err(Failure::Down));
    // Two more failures open the breaker, which ends the retry. The next call is rejected.
    assert_eq!(fetch(), Err(Failure::Down));
    let Err(Failure::Rejected(rejected)) = fetch() else { panic!("open") };
    assert_eq!((rejected.kind(), client.calls), (RejectedKind::CircuitOpen, 5));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_with_on_ok_recognizes_rejections_and_timeouts() {
    static FULL: Bulkhead = Bulkhead::new(1);
    static OUTER: CircuitBreaker = CircuitBreaker::new().failure_threshold(2);
    #[circuit_breaker(breaker = OUTER, on = |_| true, on_ok = |status| *status >= 500)]
    #[bulkhead(bulkhead = FULL)]
    fn full() -> Result<u16, Failure> {
        unreachable!("full")
    }
    #[circuit_breaker(breaker = OUTER, on = |_| false, on_ok = |status| *status >= 500)]
    #[timeout("1s")]
    async fn slow() -> Result<u16, Failure> {
        std::future::pending().await
    }
    let _permit = FULL.try_acquire();
    for _ in 0..3 {
        assert!(full().is_err());
    }
    assert_eq!(OUTER.snapshot().consecutive_failures, 0, "neutral");
    assert!(slow().await.is_err());
    assert_eq!(
        OUTER.snapshot().consecutive_failures,
        1,
        "a timeout is a failure regardless of `on`"
    );
}

/// A rejection says that nothing was sent. After an earlier attempt that may have been applied,
/// callers in other functions, other processes and other languages must not believe this.
#[test]
fn a_rejected_attempt_after_a_lost_attempt_proves_nothing_to_a_caller() {
    static BULKHEAD: Bulkhead = Bulkhead::new(1);
    thread_local! {
        static EFFECTS: Cell<u32> = const { Cell::new(0) };
        static OTHER: Cell<Option<BulkheadPermit>> = const { Cell::new(None) };
    }
    #[retry(attempts = 3, on = |_| true, on_retry = |_| OTHER.set(BULKHEAD.try_acquire().ok()))]
    #[bulkhead(bulkhead = BULKHEAD)]
    fn pay() -> Result<(), Failure> {
        EFFECTS.set(EFFECTS.get() + 1);
        Err(Failure::Down)
    }
    fn class(failure: &Failure) -> FailureClass {
        match failure {
            Failure::Rejected(rejected) => rejected.classify(),
            _ => FailureClass::permanent(),
        }
    }
    #[retry(attempts = 3, idempotent = false, on_rejection = "wait", on = class)]
    fn order() -> Result<(), Failure> {
        let paid = pay();
        OTHER.set(None);
        paid
    }
    let _guard = testing::no_waits();
    let Err(Failure::Rejected(rejected)) = order() else { panic!("the bulkhead is full") };
    assert_eq!((rejected.kind(), EFFECTS.get()), (RejectedKind::BulkheadFull, 1));
    assert_eq!(rejected.classify().effect, Effect::Unknown);

    // The first attempt of another call is rejected before anything was sent.
    let _permit = BULKHEAD.try_acquire();
    let Err(Failure::Rejected(rejected)) = pay() else { panic!("the bulkhead is full") };
    assert_eq!((rejected.classify().effect, EFFECTS.get()), (Effect::NotSent, 1));
}

/// A rate limit between the layers knows that the body did not run in this attempt.
#[test]
fn a_rejected_attempt_after_a_lost_attempt_returns_its_permit() {
    static BULKHEAD: Bulkhead = Bulkhead::new(1);
    static LIMITER: RateLimiter = RateLimiter::new(3, Duration::from_secs(60)).burst(3);
    thread_local!(static OTHER: Cell<Option<BulkheadPermit>> = const { Cell::new(None) });
    #[retry(attempts = 3, on = |_| true, on_retry = |_| OTHER.set(BULKHEAD.try_acquire().ok()))]
    #[rate_limit(limiter = LIMITER)]
    #[bulkhead(bulkhead = BULKHEAD)]
    fn pay() -> Result<(), Failure> {
        Err(Failure::Down)
    }
    let (_clock, _guard) = (testing::clock(), testing::no_waits());
    assert!(matches!(pay(), Err(Failure::Rejected(_))));
    // One of three permits was used.
    assert!(LIMITER.try_acquire().is_ok() && LIMITER.try_acquire().is_ok());
    assert!(LIMITER.try_acquire().is_err());
}

/// A limit above the retry counts the call as sent if any attempt was sent.
#[test]
fn a_rejected_attempt_keeps_the_permit_of_the_call_unless_no_attempt_was_sent() {
    static BULKHEAD: Bulkhead = Bulkhead::new(1);
    static LIMITER: RateLimiter = RateLimiter::new(9, Duration::from_secs(60)).burst(9);
    thread_local!(static OTHER: Cell<Option<BulkheadPermit>> = const { Cell::new(None) });
    #[rate_limit(limiter = LIMITER)]
    #[retry(
        attempts = 3,
        on = |_| FailureClass::transient().effect(first),
        on_retry = |_| OTHER.set(BULKHEAD.try_acquire().ok()),
    )]
    #[bulkhead(bulkhead = BULKHEAD)]
    fn call(first: Effect) -> Result<(), Failure> {
        Err(Failure::Down)
    }
    let (_clock, _guard) = (testing::clock(), testing::no_waits());
    for (first, left) in [(Effect::NotSent, 9), (Effect::Refused, 8), (Effect::Unknown, 7)] {
        let Err(Failure::Rejected(rejected)) = call(first) else { panic!("the bulkhead is full") };
        assert_eq!((rejected.classify().effect, LIMITER.available()), (first, left));
        OTHER.set(None);
    }
}
