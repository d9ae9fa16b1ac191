//! Other attributes on the same function.

use std::cell::Cell;
use std::time::Duration;

use resilience::idempotent::{IdempotencyContext, MemoryStore};
use resilience::{
    Bulkhead, CircuitBreaker, IdempotencyRejection, RateLimiter, Rejected, RejectedKind,
    StopReason, bulkhead, circuit_breaker, fallback, idempotent, rate_limit, retry, testing,
    timeout,
};
use tokio::time::{Instant, sleep};

use super::{Answer, Failure, Runs, classify, rejected_as};

thread_local!(static STOPPED: Cell<Option<StopReason>> = const { Cell::new(None) });

#[test]
fn all_attempts_of_a_retry_inside_have_one_record() {
    #[idempotent(key = id, scope = "global", name = "neighbors.inside")]
    #[retry(attempts = 3, on = classify)]
    fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        if runs.next() < 3 { Err(Failure::Lost) } else { Ok(runs.count()) }
    }
    let (_guard, runs) = (testing::no_waits(), Runs::default());
    assert_eq!((call(1, &runs), call(1, &runs), runs.count()), (Ok(3), Ok(3), 3));
}

#[test]
fn each_attempt_of_a_retry_outside_claims_the_key() {
    #[retry(attempts = 3, on = classify)]
    #[idempotent(key = id, scope = "global", name = "neighbors.outside")]
    fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        let attempt = IdempotencyContext::current().map(|call| call.attempt());
        assert_eq!(attempt, Some(runs.next()));
        if runs.count() < 3 { Err(Failure::Lost) } else { Ok(runs.count()) }
    }
    let (_guard, runs) = (testing::no_waits(), Runs::default());
    assert_eq!((call(1, &runs), call(1, &runs), runs.count()), (Ok(3), Ok(3), 3));
}

#[test]
fn a_retry_outside_stops_at_permanent_rejections() {
    #[retry(attempts = 5, on = |_| true, on_give_up = |event| STOPPED.set(Some(event.reason)))]
    #[idempotent(
        key = id,
        scope = "global",
        on = classify,
        on_interrupted = "unknown",
        name = "neighbors.stops"
    )]
    fn call(id: Option<u32>, #[skip] runs: &Runs) -> Answer {
        runs.next();
        Err(Failure::Lost)
    }
    let (_guard, runs) = (testing::no_waits(), Runs::default());
    assert_eq!(
        call(None, &runs),
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::MissingKey))
    );
    assert_eq!(STOPPED.take(), Some(StopReason::Permanent));
    // The second attempt finds an interrupted call, which ends the retry.
    assert_eq!(
        call(Some(1), &runs),
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown))
    );
    assert_eq!((STOPPED.take(), runs.count()), (Some(StopReason::Permanent), 1));
}

#[tokio::test(start_paused = true)]
async fn a_retry_outside_waits_for_a_running_call_only_on_request() {
    #[retry(attempts = 9, on = |_| true)]
    #[idempotent(key = id, scope = "global", concurrent = "reject", name = "neighbors.stop")]
    async fn stop(id: u32, #[skip] runs: &Runs) -> Answer {
        sleep(Duration::from_secs(5)).await;
        Ok(runs.next())
    }
    #[retry(attempts = 9, on_rejection = "wait", on = |_| true)]
    #[idempotent(
        key = id,
        scope = "global",
        concurrent = "reject",
        lease = "10s",
        name = "neighbors.wait"
    )]
    async fn wait(id: u32, #[skip] runs: &Runs) -> Answer {
        sleep(Duration::from_secs(5)).await;
        Ok(runs.next())
    }
    let (runs, start) = (Runs::default(), Instant::now());
    let both = tokio::join!(stop(1, &runs), stop(1, &runs));
    assert_eq!(
        both,
        (Ok(1), rejected_as(RejectedKind::Idempotency(IdempotencyRejection::InFlight)))
    );
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    assert_eq!(tokio::join!(wait(1, &runs), wait(1, &runs)), (Ok(2), Ok(2)));
    assert_eq!(start.elapsed(), Duration::from_secs(15), "the remaining lease");
}

/// Calls twice with `on_interrupted = "unknown"`. A layer inside rejects the first call. The error
/// type has no `Classify` impl.
macro_rules! released {
    ($name:literal, #[$($layer:tt)*], $block:expr, $unblock:expr, $kind:ident) => {{
        #[idempotent(
            key = id,
            scope = "global",
            on = |_| true,
            on_interrupted = "unknown",
            name = $name
        )]
        #[$($layer)*]
        fn call(id: u32) -> Answer {
            Ok(id)
        }
        let blocked = $block;
        assert_eq!(call(7), rejected_as(RejectedKind::$kind));
        $unblock(blocked);
        assert_eq!(call(7), Ok(7), "the claim was released");
    }};
}

#[test]
fn a_rejection_inside_releases_the_claim() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new();
    static BULKHEAD: Bulkhead = Bulkhead::new(1);
    static LIMITER: RateLimiter = RateLimiter::new(1, Duration::from_secs(60));
    let clock = testing::clock();
    released!(
        "neighbors.breaker",
        #[circuit_breaker(breaker = BREAKER)],
        BREAKER.force_open(),
        |()| BREAKER.force_close(),
        CircuitOpen
    );
    released!(
        "neighbors.bulkhead",
        #[bulkhead(bulkhead = BULKHEAD)],
        BULKHEAD.try_acquire().expect("free"),
        drop,
        BulkheadFull
    );
    released!(
        "neighbors.rate_limit",
        #[rate_limit(limiter = LIMITER)],
        LIMITER.try_acquire().expect("at rest"),
        |()| clock.advance(Duration::from_secs(60)),
        RateLimited
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_timeout_inside_the_effect_is_unknown() {
    #[idempotent(key = id, scope = "global", on_interrupted = "unknown", name = "neighbors.late")]
    #[timeout("1s")]
    async fn unknown(id: u32) -> Answer {
        sleep(Duration::from_secs(5)).await;
        Ok(id)
    }
    #[idempotent(key = id, scope = "global", name = "neighbors.rerun")]
    #[timeout("1s")]
    async fn rerun(id: u32, #[skip] runs: &Runs) -> Answer {
        sleep(Duration::from_secs(if runs.next() == 1 { 5 } else { 0 })).await;
        Ok(id)
    }
    assert_eq!(unknown(1).await, rejected_as(RejectedKind::TimedOut));
    assert_eq!(
        unknown(1).await,
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown))
    );
    let runs = Runs::default();
    assert_eq!(rerun(1, &runs).await, rejected_as(RejectedKind::TimedOut));
    assert_eq!(rerun(1, &runs).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_outside_interrupts_the_call() {
    #[timeout("1s")]
    #[idempotent(key = id, scope = "global", on_interrupted = "unknown", name = "neighbors.dropped")]
    async fn call(id: u32) -> Answer {
        sleep(Duration::from_secs(5)).await;
        Ok(id)
    }
    let start = Instant::now();
    assert_eq!(call(1).await, rejected_as(RejectedKind::TimedOut));
    assert_eq!(
        call(1).await,
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown)),
        "at once, without the lease"
    );
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}

#[test]
fn a_breaker_outside_counts_store_errors_and_no_key_errors() {
    static FULL: MemoryStore = MemoryStore::new().max_records(1);
    static BREAKER: CircuitBreaker = CircuitBreaker::new();
    #[circuit_breaker(breaker = BREAKER, on = |_| true)]
    #[idempotent(store = FULL, key = id, scope = "global", name = "neighbors.above")]
    fn call(id: Option<u32>, cents: u32) -> Answer {
        Ok(cents)
    }
    let failures = || BREAKER.snapshot().consecutive_failures;
    assert_eq!((call(Some(1), 5), call(Some(1), 5)), (Ok(5), Ok(5)));
    assert_eq!(
        call(None, 5),
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::MissingKey))
    );
    assert_eq!(
        call(Some(1), 6),
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::KeyReused))
    );
    assert_eq!(failures(), 0, "a mistake of the caller is no failure of the dependency");
    assert_eq!(
        call(Some(2), 5),
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable))
    );
    assert_eq!(failures(), 1);
}

#[test]
fn the_value_of_a_fallback_outside_is_not_stored() {
    #[fallback(value = 0, on = |failure| *failure == Failure::Lost)]
    #[idempotent(key = id, scope = "global", name = "neighbors.fallback")]
    fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        if runs.next() == 1 { Err(Failure::Lost) } else { Ok(runs.count()) }
    }
    let runs = Runs::default();
    assert_eq!((call(1, &runs), call(1, &runs), call(1, &runs)), (Ok(0), Ok(2), Ok(2)));
}

#[test]
fn a_repeated_call_takes_no_permit_of_a_layer_inside() {
    #[idempotent(key = id, scope = "global", name = "neighbors.permits")]
    #[rate_limit(rate = 1, per = "1h")]
    fn call(id: u32) -> Result<u32, Rejected> {
        Ok(id)
    }
    let (_clock, _state) = (testing::clock(), testing::fresh_state());
    assert_eq!((call(1), call(1), call(1)), (Ok(1), Ok(1), Ok(1)));
    assert!(call(2).is_err());
}

#[test]
fn all_layers_together() {
    #[fallback(value = 0)]
    #[idempotent(key = id, scope = "global", name = "neighbors.all")]
    #[retry(attempts = 3, base_delay = "1ms", on = classify)]
    #[circuit_breaker(failure_threshold = 9)]
    #[rate_limit(rate = 9, burst = 9)]
    #[bulkhead(max = 1)]
    fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        if runs.next() < 3 { Err(Failure::Lost) } else { Ok(runs.count()) }
    }
    let (_guard, runs) = (testing::no_waits(), Runs::default());
    assert_eq!((call(1, &runs), call(1, &runs), runs.count()), (Ok(3), Ok(3), 3));
}
