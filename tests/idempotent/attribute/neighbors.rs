//! Other attributes on the same function.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use resilience::idempotent::{IdempotencyContext, MemoryStore};
use resilience::{
    Bulkhead, BulkheadPermit, CircuitBreaker, Effect, FailureClass, IdempotencyRejection,
    RateLimiter, Rejected, RejectedKind, RetryPolicy, StopReason, bulkhead, circuit_breaker,
    fallback, hedge, idempotent, rate_limit, retry, testing, timeout,
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

/// The first attempt may have been applied, and a layer inside rejects the second attempt. The key
/// stays interrupted, and the body does not run for the next call.
macro_rules! interrupted {
    ($name:literal, [$($hook:tt)*], $(#[$layer:meta])+, $unblock:expr, $kind:ident) => {{
        #[idempotent(
            key = id,
            scope = "global",
            on = classify,
            on_interrupted = "unknown",
            name = $name
        )]
        #[retry(attempts = 3, on = classify, $($hook)*)]
        $(#[$layer])+
        async fn call(id: u32, #[skip] runs: &Runs) -> Answer {
            runs.next();
            Err(Failure::Lost)
        }
        let (_guard, runs) = (testing::no_waits(), Runs::default());
        assert_eq!(call(7, &runs).await, rejected_as(RejectedKind::$kind));
        $unblock;
        let unknown = RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown);
        assert_eq!(call(7, &runs).await, rejected_as(unknown));
        assert_eq!(runs.count(), 1, $name);
    }};
}

#[tokio::test]
async fn a_rejected_attempt_after_a_lost_attempt_does_not_release_the_claim() {
    static BULKHEAD: Bulkhead = Bulkhead::new(1);
    static LIMITER: RateLimiter = RateLimiter::new(1, Duration::from_secs(60));
    static HEDGED: RateLimiter = RateLimiter::new(1, Duration::from_secs(60));
    thread_local!(static OTHER: Cell<Option<BulkheadPermit>> = const { Cell::new(None) });
    let clock = testing::clock();
    interrupted!(
        "neighbors.later_rate_limit",
        [],
        #[rate_limit(limiter = LIMITER)],
        clock.advance(Duration::from_secs(60)),
        RateLimited
    );
    interrupted!(
        "neighbors.later_bulkhead",
        [on_retry = |_| OTHER.set(BULKHEAD.try_acquire().ok())],
        #[bulkhead(bulkhead = BULKHEAD)],
        OTHER.set(None),
        BulkheadFull
    );
    interrupted!(
        "neighbors.later_hedge",
        [],
        #[hedge(after = "1h", idempotent = true)]
        #[rate_limit(limiter = HEDGED)],
        clock.advance(Duration::from_secs(60)),
        RateLimited
    );
}

/// The last failure says that nothing was sent, and an earlier attempt may have been applied. The
/// attempts can be in the function, in another function, or in a step.
#[tokio::test]
async fn a_refused_attempt_after_a_lost_attempt_does_not_release_the_claim() {
    const LOST: u32 = 1;

    fn attempt(runs: &Runs) -> Answer {
        if runs.next() == LOST { Err(Failure::Lost) } else { Err(Failure::Refused) }
    }
    #[retry(attempts = 2, on = classify)]
    async fn bank(runs: &Runs) -> Answer {
        attempt(runs)
    }
    #[hedge(after = "1h", idempotent = true, on = classify)]
    async fn hedged(runs: &Runs) -> Answer {
        attempt(runs)
    }
    /// A refusal is permanent, and ends the call at once.
    #[hedge(after = "1h", idempotent = true, on = permanent)]
    async fn stopped(runs: &Runs) -> Answer {
        attempt(runs)
    }
    fn permanent(failure: &Failure) -> FailureClass {
        match failure {
            Failure::Refused => FailureClass::permanent().effect(Effect::NotSent),
            _ => classify(failure),
        }
    }
    #[idempotent(step = "bank", on = classify)]
    async fn step(#[skip] runs: &Runs) -> Answer {
        bank(runs).await
    }

    macro_rules! call {
        ($name:literal, $(#[$retry:meta])?, |$runs:ident| $body:expr) => {{
            #[idempotent(
                key = id,
                scope = "global",
                on = classify,
                on_interrupted = "unknown",
                name = $name
            )]
            $(#[$retry])?
            async fn call(id: u32, #[skip] $runs: &Runs) -> Answer {
                $body
            }
            let (_guard, runs) = (testing::no_waits(), Runs::default());
            let last = call(7, &runs).await;
            assert!(matches!(last, Err(Failure::Refused | Failure::Lost)), "{last:?}");
            let unknown = RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown);
            assert_eq!(call(7, &runs).await, rejected_as(unknown), $name);
            assert_eq!(runs.count(), 2, $name);
            // Without an earlier attempt a refusal releases the key.
            assert_eq!(call(8, &runs).await, Err(Failure::Refused), $name);
            assert_eq!(call(8, &runs).await, Err(Failure::Refused), $name);
        }};
    }
    call!("neighbors.refused", #[retry(attempts = 2, on = classify)], |runs| attempt(runs));
    call!("neighbors.refused_within", , |runs| bank(runs).await);
    call!("neighbors.refused_hedge", , |runs| hedged(runs).await);
    call!("neighbors.refused_at_once", , |runs| stopped(runs).await);
    call!("neighbors.refused_step", , |runs| step(runs).await);
    call!("neighbors.refused_by_hand", , |runs| {
        RetryPolicy::new().attempts(2).on(classify).run_async(async || attempt(runs)).await
    });
}

#[test]
fn a_refused_attempt_of_another_call_releases_the_claim() {
    #[idempotent(
        key = id,
        scope = "global",
        on = classify,
        on_interrupted = "unknown",
        name = "neighbors.refused_other"
    )]
    fn call(id: u32, #[skip] answers: &RefCell<Vec<Answer>>) -> Answer {
        let next = || answers.borrow_mut().pop().expect("an answer");
        RetryPolicy::new().attempts(2).on(classify).run(next)
    }
    let _guard = testing::no_waits();
    let lost = || Err(Failure::Lost);
    let refused = || Err(Failure::Refused);
    // The first call is lost, and the second call of the same thread is refused.
    let answers = RefCell::new(vec![Ok(3), refused(), refused(), refused(), lost()]);
    assert_eq!(call(1, &answers), refused());
    assert_eq!(call(2, &answers), refused());
    assert_eq!(call(2, &answers), Ok(3));
}

/// The turn of the third attempt is after the timeout of the whole call, so the limit rejects the
/// attempt.
#[tokio::test(start_paused = true)]
async fn a_turn_after_the_timeout_and_a_lost_attempt_do_not_release_the_claim() {
    #[idempotent(
        key = id,
        scope = "global",
        on = classify,
        on_interrupted = "unknown",
        name = "neighbors.later_queue"
    )]
    #[timeout("4s")]
    #[retry(attempts = 3, on = classify, base_delay = "1ms")]
    #[rate_limit(rate = 1, per = "3s", wait = "3s")]
    async fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        runs.next();
        Err(Failure::Lost)
    }
    let runs = Runs::default();
    assert_eq!(call(7, &runs).await, rejected_as(RejectedKind::RateLimited));
    sleep(Duration::from_secs(60)).await;
    let unknown = RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown);
    assert_eq!(call(7, &runs).await, rejected_as(unknown));
    assert_eq!(runs.count(), 2);
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
