//! A deadline bounds the calls of other functions.

use std::cell::Cell;
use std::future::pending;

use resilience::context::{self, Context};
use resilience::{
    Bulkhead, CircuitBreaker, Effect, FailureClass, IdempotencyRejection, RateLimiter, Rejected,
    RejectedKind, RetryPolicy, StopReason, bulkhead, circuit_breaker, fallback, rate_limit, retry,
    testing, timeout,
};
use tokio::time::{Instant, sleep};

use crate::{Failure, MS, SECS};

type Call = fn() -> Result<(), Rejected>;

#[timeout("60s")]
async fn third() -> Result<Vec<u64>, Rejected> {
    Ok(vec![context::remaining().unwrap().as_secs()])
}

/// A function that knows nothing of deadlines.
async fn between() -> Result<Vec<u64>, Rejected> {
    third().await
}

#[timeout("60s")]
async fn second() -> Result<Vec<u64>, Rejected> {
    let mut seen = vec![context::remaining().unwrap().as_secs()];
    sleep(SECS(4)).await;
    seen.extend(between().await?);
    Ok(seen)
}

#[timeout("30s")]
async fn first() -> Result<Vec<u64>, Rejected> {
    sleep(SECS(7)).await;
    second().await
}

#[tokio::test(start_paused = true)]
async fn a_callee_sees_the_time_that_its_caller_left() {
    assert_eq!(first().await, Ok(vec![23, 19]));
    assert_eq!(context::remaining(), None);
}

#[tokio::test(start_paused = true)]
async fn after_eight_of_ten_seconds_the_callee_has_two_and_then_nothing_starts() {
    let started = Cell::new(0);
    #[timeout("1m")]
    async fn callee(started: &Cell<u32>) -> Result<(), Failure> {
        started.set(started.get() + 1);
        pending().await
    }
    #[retry(attempts = 5, backoff = "fixed", base_delay = "1ms", deadline = "10s")]
    async fn caller(started: &Cell<u32>) -> Result<(), Failure> {
        sleep(SECS(8)).await;
        let begin = Instant::now();
        let first = callee(started).await.unwrap_err();
        assert_eq!(begin.elapsed(), SECS(2));
        assert_eq!(first.rejected().kind(), RejectedKind::TimedOut);
        assert_eq!(first.rejected().limit(), Some(SECS(2)));
        let second = callee(started).await.unwrap_err();
        assert_eq!(begin.elapsed(), SECS(2));
        Err(second)
    }
    let error = caller(&started).await.unwrap_err();
    assert_eq!(started.get(), 1);
    let rejected = error.rejected();
    assert_eq!(rejected.kind(), RejectedKind::DeadlineExceeded);
    assert!(rejected.deadline_set_by().unwrap().ends_with("::caller"), "{rejected}");
}

#[tokio::test(start_paused = true)]
async fn a_timeout_at_an_outer_deadline_names_the_function_that_set_the_deadline() {
    #[timeout("1m", name = "callee")]
    async fn callee() -> Result<(), Rejected> {
        pending().await
    }
    #[retry(attempts = 2, deadline = "2s", name = "caller")]
    async fn caller() -> Result<(), Rejected> {
        callee().await
    }
    let rejected = caller().await.unwrap_err();
    let text = "callee: timed out after 2s (deadline set by caller)";
    assert_eq!(rejected.to_string(), text);
}

#[test]
fn no_layer_starts_a_call_after_the_deadline() {
    #[circuit_breaker(name = "breaker")]
    fn breaker() -> Result<(), Rejected> {
        Ok(())
    }
    #[bulkhead(max = 1, name = "bulkhead")]
    fn full() -> Result<(), Rejected> {
        Ok(())
    }
    #[rate_limit(rate = 100, name = "limit")]
    fn limited() -> Result<(), Rejected> {
        Ok(())
    }
    #[retry(attempts = 3)]
    #[circuit_breaker(name = "retried")]
    fn retried() -> Result<(), Rejected> {
        Ok(())
    }
    static BREAKER: CircuitBreaker = CircuitBreaker::new().name("by hand");
    static BULKHEAD: Bulkhead = Bulkhead::new(1).name("by hand");
    static LIMITER: RateLimiter = RateLimiter::new(100, SECONDS).name("by hand");
    const SECONDS: std::time::Duration = std::time::Duration::from_secs(1);
    let calls: [(&str, Call); 7] = [
        ("breaker", breaker),
        ("bulkhead", full),
        ("limit", limited),
        ("retried", retried),
        ("by hand", || BREAKER.run(|| Ok(()))),
        ("by hand", || BULKHEAD.run(|| Ok(()))),
        ("by hand", || LIMITER.run(|| Ok(()))),
    ];
    let clock = testing::clock();
    let context = Context::new().deadline(SECS(2), "handler");
    for (name, call) in calls {
        assert_eq!(context.run(call), Ok(()), "{name}");
    }
    clock.advance(SECS(2));
    for (name, call) in calls {
        let rejected = context.run(call).unwrap_err();
        assert_eq!(rejected.kind(), RejectedKind::DeadlineExceeded, "{name}");
        let text = "deadline exceeded before the call started (deadline set by handler)";
        assert_eq!(rejected.to_string(), format!("{name}: {text}"));
        assert_eq!((rejected.name(), rejected.deadline_set_by()), (name, Some("handler")));
        assert_eq!(call(), Ok(()), "{name}, outside the context");
    }
}

#[test]
fn calls_after_the_deadline_are_counted_apart_from_other_rejections() {
    #[circuit_breaker(name = "overdue::breaker")]
    fn breaker() -> Result<(), Rejected> {
        Ok(())
    }
    #[bulkhead(max = 1, name = "overdue::bulkhead")]
    fn full() -> Result<(), Rejected> {
        Ok(())
    }
    #[rate_limit(rate = 100, name = "overdue::limit")]
    fn limited() -> Result<(), Rejected> {
        Ok(())
    }
    let clock = testing::clock();
    let context = Context::new().deadline(SECS(2), "handler");
    clock.advance(SECS(2));
    for call in [breaker, full, limited] {
        context.run(call).unwrap_err();
    }
    let outcomes = |name: &str| -> [u64; 3] {
        let reports = resilience::policies_matching(name);
        let [report] = &*reports else { panic!("one {name}: {reports:?}") };
        let calls = |outcome| report.count("resilience.calls", &[outcome]);
        let rejections = report.count("resilience.rejections", &["deadline_exceeded"]);
        [calls("overdue"), calls("rejected"), rejections]
    };
    for name in ["overdue::breaker", "overdue::bulkhead", "overdue::limit"] {
        assert_eq!(outcomes(name), [1, 0, 1], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_below_a_retry_that_waits_for_rejections_starts_no_call_after_the_deadline() {
    #[retry(attempts = 2, on_rejection = "wait", name = "overdue::waits")]
    #[timeout("1m", name = "overdue::timeout")]
    #[rate_limit(rate = 100, name = "overdue::below")]
    async fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let overdue = Context::new().deadline(SECS(0), "handler");
    let rejected = overdue.scope(call()).await.unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::DeadlineExceeded);
    assert_eq!(
        (rejected.name(), rejected.deadline_set_by()),
        ("overdue::timeout", Some("handler"))
    );
    assert_eq!(call().await, Ok(()));
}

#[test]
fn a_policy_in_shadow_mode_admits_a_call_after_the_deadline() {
    #[circuit_breaker(shadow)]
    fn breaker() -> Result<(), Rejected> {
        Ok(())
    }
    #[bulkhead(max = 1, shadow)]
    fn full() -> Result<(), Rejected> {
        Ok(())
    }
    #[rate_limit(rate = 100, shadow)]
    fn limited() -> Result<(), Rejected> {
        Ok(())
    }
    let clock = testing::clock();
    let context = Context::new().deadline(SECS(2), "handler");
    clock.advance(SECS(2));
    for call in [breaker, full, limited] {
        assert_eq!(context.run(call), Ok(()));
    }
}

#[test]
fn a_breaker_that_was_in_use_before_the_first_deadline_of_the_process_refuses_too() {
    // A window, `slow_call`, and neither.
    #[circuit_breaker(name = "plain")]
    fn plain() -> Result<(), Rejected> {
        Ok(())
    }
    #[circuit_breaker(failure_rate = 0.5, window = 10, name = "window")]
    fn window() -> Result<(), Rejected> {
        Ok(())
    }
    #[circuit_breaker(slow_call = "1s", name = "slow")]
    fn slow() -> Result<(), Rejected> {
        Ok(())
    }
    let calls: [Call; 3] = [plain, window, slow];
    // Other tests of this program may have set a deadline before: then the breakers begin so.
    for call in calls {
        assert_eq!(call(), Ok(()));
    }
    let clock = testing::clock();
    let context = Context::new().deadline(SECS(2), "handler");
    for call in calls {
        assert_eq!(context.run(call), Ok(()));
    }
    clock.advance(SECS(2));
    for call in calls {
        let rejected = context.run(call).unwrap_err();
        assert_eq!(rejected.kind(), RejectedKind::DeadlineExceeded, "{rejected}");
        assert_eq!(call(), Ok(()));
    }
}

#[test]
fn no_trial_call_starts_after_the_deadline() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
    let clock = testing::clock();
    BREAKER.try_acquire().unwrap().failure();
    clock.advance(SECS(60));
    let context = Context::new().deadline(SECS(2), "handler");
    clock.advance(SECS(2));
    let rejected = context.run(|| BREAKER.try_acquire().map(drop)).unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::DeadlineExceeded);
    // The trial is left to a call in time.
    assert!(BREAKER.try_acquire().is_ok());
}

#[test]
fn the_switch_turns_deadlines_off() {
    // In a process of its own: the switch is global.
    if std::env::var_os("RESILIENCE_SWITCH_CHILD").is_none() {
        let test = "deadlines::the_switch_turns_deadlines_off";
        let program = std::env::current_exe().unwrap();
        let mut child = std::process::Command::new(program);
        let child = child.args(["--exact", test]).env("RESILIENCE_SWITCH_CHILD", "1");
        assert!(child.status().unwrap().success());
        return;
    }
    #[circuit_breaker]
    fn breaker() -> Result<(), Rejected> {
        Ok(())
    }
    let clock = testing::clock();
    let context = Context::new().deadline(SECS(2), "handler");
    clock.advance(SECS(2));
    assert!(context.run(breaker).is_err());
    resilience::set_enabled(false);
    assert_eq!(context.run(breaker), Ok(()));
    context.run(|| assert_eq!(context::remaining(), None));
}

#[tokio::test(start_paused = true)]
async fn no_hedge_starts_after_the_deadline() {
    #[resilience::hedge(after = "10ms", max = 2, idempotent, budget = 1.0)]
    async fn hedged(starts: &Cell<u32>) -> Result<(), Rejected> {
        starts.set(starts.get() + 1);
        sleep(MS(100)).await;
        Ok(())
    }
    let starts = Cell::new(0);
    assert_eq!(hedged(&starts).await, Ok(()));
    assert_eq!(starts.replace(0), 3);
    let context = Context::new().deadline(MS(15), "handler");
    assert_eq!(context.scope(hedged(&starts)).await, Ok(()));
    assert_eq!(starts.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_after_the_deadline_claims_no_key() {
    #[resilience::idempotent(key = order, scope = "global", name = "overdue::charge")]
    async fn charge(order: &str, #[skip] runs: &Cell<u32>) -> Result<(), Failure> {
        let _ = order;
        runs.set(runs.get() + 1);
        Ok(())
    }
    let runs = Cell::new(0);
    let context = Context::new().deadline(SECS(1), "handler");
    tokio::time::advance(SECS(1)).await;
    let error = context.scope(charge("1", &runs)).await.unwrap_err();
    assert_eq!(error.rejected().kind(), RejectedKind::DeadlineExceeded);
    assert_eq!((charge("1", &runs).await, runs.get()), (Ok(()), 1));
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_running_idempotent_call_ends_at_the_deadline() {
    #[resilience::idempotent(
        key = order, scope = "global", name = "waiting::charge", concurrent = wait("1m")
    )]
    async fn charge(order: &str) -> Result<(), Failure> {
        let _ = order;
        sleep(SECS(30)).await;
        Ok(())
    }
    let running = tokio::spawn(charge("1"));
    sleep(SECS(1)).await;
    let start = Instant::now();
    let waiting = Context::new().deadline(SECS(5), "handler").scope(charge("1"));
    let kind = waiting.await.unwrap_err().rejected().kind();
    assert_eq!(kind, RejectedKind::Idempotency(IdempotencyRejection::InFlight));
    assert_eq!(start.elapsed(), SECS(5));
    assert_eq!(running.await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_running_idempotent_call_ends_at_the_deadline_of_its_retry() {
    #[resilience::retry(attempts = 2, deadline = "5s")]
    #[resilience::idempotent(
        key = order, scope = "global", name = "retried::charge", concurrent = wait("1m")
    )]
    async fn charge(order: &str) -> Result<(), Failure> {
        let _ = order;
        sleep(SECS(30)).await;
        Ok(())
    }
    let running = tokio::spawn(charge("1"));
    sleep(SECS(1)).await;
    let start = Instant::now();
    let kind = charge("1").await.unwrap_err().rejected().kind();
    assert_eq!(kind, RejectedKind::Idempotency(IdempotencyRejection::InFlight));
    assert_eq!(start.elapsed(), SECS(5));
    assert_eq!(running.await.unwrap(), Ok(()));
}

#[test]
fn a_rejection_for_the_deadline_is_final_and_not_sent() {
    let clock = testing::clock();
    let bodies = Cell::new(0);
    #[bulkhead(max = 1)]
    fn inner(bodies: &Cell<u32>) -> Result<(), Rejected> {
        bodies.set(bodies.get() + 1);
        Ok(())
    }
    let outer = RetryPolicy::new().attempts(9).wait_for_rejections(true);
    let stopped = Cell::new(None);
    let context = Context::new().deadline(SECS(1), "handler");
    clock.advance(SECS(1));
    let outcome = context.run(|| {
        outer
            .on(resilience::Classify::classify)
            .on_give_up(|event| stopped.set(Some((event.reason, event.attempt))))
            .run(|| inner(&bodies))
    });
    let rejected = outcome.unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::DeadlineExceeded);
    assert_eq!((bodies.get(), stopped.get()), (0, Some((StopReason::Permanent, 1))));
    let class = resilience::Classify::classify(&rejected);
    assert_eq!(class, FailureClass::permanent().effect(Effect::NotSent).neutral());
}

#[test]
fn a_fallback_replaces_a_call_after_the_deadline() {
    let clock = testing::clock();
    #[fallback(value = 7)]
    #[circuit_breaker]
    fn stale() -> Result<u32, Rejected> {
        Ok(1)
    }
    let context = Context::new().deadline(MS(1), "handler");
    clock.advance(MS(1));
    assert_eq!(context.run(stale), Ok(7));
}

#[test]
fn a_delay_of_a_retry_that_cannot_fit_is_not_begun() {
    let clock = testing::clock();
    #[retry(attempts = 9, backoff = ["1s", "2s", "4s"], jitter = "none")]
    fn callee(calls: &Cell<u32>) -> Result<(), Failure> {
        calls.set(calls.get() + 1);
        Err(Failure::Down)
    }
    let calls = Cell::new(0);
    let context = Context::new().deadline(SECS(5), "handler");
    // The last failure is the outcome.
    assert_eq!(context.run(|| callee(&calls)), Err(Failure::Down));
    assert_eq!((calls.get(), clock.elapsed()), (3, SECS(3)));
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_cannot_fit_is_not_waited_for() {
    #[rate_limit(rate = 1, per = "1m", wait = "1h")]
    async fn limited() -> Result<(), Rejected> {
        Ok(())
    }
    #[timeout("10s")]
    async fn handler() -> Result<(), Rejected> {
        limited().await?;
        let start = Instant::now();
        let rejected = limited().await.unwrap_err();
        assert_eq!(start.elapsed(), MS(0));
        Err(rejected)
    }
    let rejected = handler().await.unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::RateLimited);
    assert_eq!(rejected.retry_after(), Some(SECS(60)));
}

#[test]
fn a_wait_for_a_permit_ends_at_the_deadline() {
    static BULKHEAD: Bulkhead = Bulkhead::new(1).wait(std::time::Duration::from_secs(3600));
    let _permit = BULKHEAD.try_acquire().unwrap();
    let clock = testing::clock();
    let context = Context::new().deadline(SECS(5), "handler");
    let rejected = context.run(|| BULKHEAD.acquire_blocking().map(drop)).unwrap_err();
    assert_eq!((rejected.kind(), clock.elapsed()), (RejectedKind::BulkheadFull, SECS(5)));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_rejects_no_call_waits_past_the_deadline() {
    // The error type cannot represent a rejection.
    #[rate_limit(rate = 1, per = "1m", wait = "unlimited")]
    async fn limited() -> Result<u32, String> {
        Ok(7)
    }
    limited().await.unwrap();
    let start = Instant::now();
    let second = Context::new().deadline(SECS(1), "handler").scope(limited()).await;
    assert_eq!((second, start.elapsed()), (Ok(7), SECS(60)));
}

#[tokio::test(start_paused = true)]
async fn the_key_error_lets_a_deadline_end_an_unlimited_wait() {
    #[rate_limit(
        rate = 1, per = "1m", wait = "unlimited", error = |rejected| rejected.kind().to_string()
    )]
    async fn limited() -> Result<u32, String> {
        Ok(7)
    }
    limited().await.unwrap();
    let start = Instant::now();
    let second = Context::new().deadline(SECS(1), "handler").scope(limited()).await;
    assert_eq!((second.is_err(), start.elapsed()), (true, SECS(0)), "no wait that is useless");
    assert_eq!((limited().await, start.elapsed()), (Ok(7), SECS(60)));
}

#[tokio::test(start_paused = true)]
async fn a_longer_inner_deadline_changes_nothing() {
    #[retry(attempts = 2, deadline = "1h")]
    async fn inner() -> Result<Option<std::time::Duration>, Rejected> {
        Ok(context::remaining())
    }
    #[timeout("5s", name = "outer")]
    async fn outer() -> Result<(), Rejected> {
        assert_eq!(inner().await, Ok(Some(SECS(5))));
        assert_eq!(context::set_by(), Some("outer"));
        Ok(())
    }
    outer().await.unwrap();
    assert_eq!(inner().await, Ok(Some(SECS(3600))));
}
