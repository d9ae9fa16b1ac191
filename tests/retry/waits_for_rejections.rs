//! `on_rejection = "wait"`: the callers that wait are served.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use resilience::context::Context;
use resilience::{
    Bulkhead, CircuitBreaker, Classify, Jitter, RateLimiter, Rejected, RejectedKind, RetryBudget,
    RetryPolicy, StopReason, bulkhead, circuit_breaker, context, rate_limit, retry, testing,
    timeout,
};
use tokio::time::{Instant, sleep};

use crate::ms;

async fn served(calls: Vec<tokio::task::JoinHandle<Result<(), Rejected>>>) -> usize {
    let mut served = 0;
    for call in calls {
        served += usize::from(call.await.expect("no panic").is_ok());
    }
    served
}

#[tokio::test(start_paused = true)]
async fn all_callers_that_wait_for_a_breaker_are_served() {
    static DOWN: AtomicBool = AtomicBool::new(true);
    #[retry(attempts = 4, on_rejection = "wait")]
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "30s")]
    async fn call() -> Result<(), Rejected> {
        if DOWN.load(SeqCst) {
            return Err(Rejected::timed_out("upstream", Duration::from_millis(1)));
        }
        sleep(Duration::from_secs(1)).await;
        Ok(())
    }
    let first = tokio::spawn(call());
    sleep(Duration::from_millis(1)).await;
    DOWN.store(false, SeqCst);
    let mut calls: Vec<_> = (0..49).map(|_| tokio::spawn(call())).collect();
    calls.push(first);
    let start = Instant::now();
    assert_eq!(served(calls).await, 50);
    assert!(start.elapsed() < Duration::from_secs(70), "{:?}", start.elapsed());
}

/// The order in which callers start, with the time of each start in milliseconds.
type Starts = Arc<Mutex<Vec<(usize, u128)>>>;

/// Starts callers one after another, and returns the order in which their bodies started.
async fn order<F>(callers: usize, call: impl Fn(usize, Starts, Instant) -> F) -> Vec<(usize, u128)>
where
    F: Future<Output = Result<(), Rejected>> + Send + 'static,
{
    let (starts, start) = (Starts::default(), Instant::now());
    let mut calls = Vec::new();
    for caller in 0..callers {
        calls.push(tokio::spawn(call(caller, Arc::clone(&starts), start)));
        tokio::task::yield_now().await;
    }
    assert_eq!(served(calls).await, callers);
    Arc::into_inner(starts).expect("all calls have ended").into_inner().unwrap()
}

fn record(caller: usize, starts: &Starts, start: Instant) {
    starts.lock().unwrap().push((caller, start.elapsed().as_millis()));
}

#[tokio::test(start_paused = true)]
async fn callers_that_wait_for_a_rate_limit_are_served_at_the_rate_in_the_order_of_arrival() {
    #[retry(attempts = 2, on_rejection = "wait")]
    #[rate_limit(rate = 10)]
    async fn call(caller: usize, starts: Starts, start: Instant) -> Result<(), Rejected> {
        record(caller, &starts, start);
        Ok(())
    }
    let starts = order(20, call).await;
    let expected: Vec<_> = (0..20).map(|caller| (caller, caller as u128 * 100)).collect();
    assert_eq!(starts, expected);
}

#[tokio::test(start_paused = true)]
async fn callers_that_wait_for_a_bulkhead_are_served_in_the_order_of_arrival() {
    #[retry(attempts = 2, on_rejection = "wait")]
    #[circuit_breaker]
    #[bulkhead(max = 2)]
    async fn call(caller: usize, starts: Starts, start: Instant) -> Result<(), Rejected> {
        record(caller, &starts, start);
        sleep(Duration::from_millis(100)).await;
        Ok(())
    }
    let starts = order(20, call).await;
    let expected: Vec<_> = (0..20).map(|caller| (caller, caller as u128 / 2 * 100)).collect();
    assert_eq!(starts, expected);
}

#[tokio::test(start_paused = true)]
async fn callers_with_a_policy_of_their_own_wait_in_the_order_of_arrival() {
    static PATIENT: RetryPolicy = RetryPolicy::new().attempts(1).wait_for_rejections(true);
    static LIMIT: RateLimiter = RateLimiter::new(10, Duration::from_secs(1));
    static SLOTS: Bulkhead = Bulkhead::new(1);
    #[retry(policy = PATIENT)]
    #[rate_limit(limiter = LIMIT)]
    #[bulkhead(bulkhead = SLOTS)]
    async fn call(caller: usize, starts: Starts, start: Instant) -> Result<(), Rejected> {
        record(caller, &starts, start);
        sleep(Duration::from_millis(150)).await;
        Ok(())
    }
    let starts = order(20, call).await;
    let expected: Vec<_> = (0..20).map(|caller| (caller, caller as u128 * 150)).collect();
    assert_eq!(starts, expected);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_gives_the_place_to_the_callers_behind() {
    #[retry(attempts = 2, on_rejection = "wait")]
    #[rate_limit(rate = 1)]
    async fn call() -> Result<(), Rejected> {
        Ok(())
    }
    assert!(call().await.is_ok());
    let start = Instant::now();
    let mut calls: Vec<_> = (0..10).map(|_| tokio::spawn(call())).collect();
    sleep(Duration::from_millis(1)).await;
    let last = calls.pop().expect("ten calls");
    calls.iter().for_each(tokio::task::JoinHandle::abort);
    assert!(last.await.expect("no panic").is_ok());
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn the_wait_ends_with_the_deadline_and_with_max_retry_after() {
    #[retry(deadline = "3s", on_rejection = "wait")]
    #[rate_limit(rate = 1)]
    async fn by_deadline() -> Result<(), Rejected> {
        Ok(())
    }
    #[retry(max_retry_after = "3s", on_rejection = "wait")]
    #[rate_limit(rate = 1)]
    async fn by_patience() -> Result<(), Rejected> {
        Ok(())
    }
    #[retry(deadline = "3s", on_rejection = "wait")]
    #[bulkhead(max = 1)]
    async fn in_a_queue() -> Result<(), Rejected> {
        sleep(Duration::from_secs(60)).await;
        Ok(())
    }
    let start = Instant::now();
    let calls: Vec<_> = (0..6).map(|_| tokio::spawn(by_deadline())).collect();
    // The first starts at once, and the turn at three seconds is not before the deadline.
    assert!((3..=4).contains(&served(calls).await));
    let calls: Vec<_> = (0..6).map(|_| tokio::spawn(by_patience())).collect();
    assert_eq!(served(calls).await, 4);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    let running = tokio::spawn(in_a_queue());
    sleep(Duration::from_millis(1)).await;
    let start = Instant::now();
    assert!(in_a_queue().await.is_err());
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_measures_time_sees_no_wait() {
    #[retry(attempts = 2, on_rejection = "wait")]
    #[circuit_breaker(slow_call = "50ms", min_calls = 2, name = "no slow wait")]
    #[rate_limit(rate = 10)]
    async fn measured() -> Result<(), Rejected> {
        Ok(())
    }
    let calls: Vec<_> = (0..5).map(|_| tokio::spawn(measured())).collect();
    assert_eq!(served(calls).await, 5);
    let breaker = circuit_breaker("no slow wait").expect("called");
    assert_eq!(breaker.state(), resilience::CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn callers_below_a_timeout_are_served_in_the_order_of_arrival() {
    #[retry(attempts = 2, on_rejection = "wait")]
    #[timeout("50ms")]
    #[rate_limit(rate = 10)]
    async fn limited(caller: usize, starts: Starts, start: Instant) -> Result<(), Rejected> {
        record(caller, &starts, start);
        sleep(Duration::from_millis(40)).await;
        Ok(())
    }
    #[retry(attempts = 2, on_rejection = "wait")]
    #[circuit_breaker]
    #[timeout("150ms")]
    #[bulkhead(max = 2)]
    #[timeout("120ms")]
    async fn queued(caller: usize, starts: Starts, start: Instant) -> Result<(), Rejected> {
        record(caller, &starts, start);
        sleep(Duration::from_millis(100)).await;
        Ok(())
    }
    let starts = order(20, limited).await;
    let expected: Vec<_> = (0..20).map(|caller| (caller, caller as u128 * 100)).collect();
    assert_eq!(starts, expected);
    let starts = order(20, queued).await;
    let expected: Vec<_> = (0..20).map(|caller| (caller, caller as u128 / 2 * 100)).collect();
    assert_eq!(starts, expected);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_starts_after_the_wait_and_ends_at_the_deadline() {
    static ONCE: RetryPolicy = RetryPolicy::new().attempts(1).wait_for_rejections(true);
    static BRIEF: RetryPolicy = ONCE.deadline(Duration::from_millis(1010));
    #[retry(policy = ONCE)]
    #[timeout("50ms")]
    #[rate_limit(rate = 1)]
    async fn hangs() -> Result<(), Rejected> {
        std::future::pending().await
    }
    #[retry(policy = BRIEF)]
    #[timeout("50ms")]
    #[rate_limit(rate = 1)]
    async fn hangs_until_the_deadline() -> Result<(), Rejected> {
        std::future::pending().await
    }
    async fn time(call: impl Future<Output = Result<(), Rejected>>) -> u128 {
        let start = Instant::now();
        assert_eq!(call.await.map_err(|it| it.kind()), Err(RejectedKind::TimedOut));
        start.elapsed().as_millis()
    }
    assert_eq!(tokio::join!(time(hangs()), time(hangs())), (50, 1050));
    let brief = tokio::join!(time(hangs_until_the_deadline()), time(hangs_until_the_deadline()));
    assert_eq!(brief, (50, 1010));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_counts_the_wait_below_a_retry_that_does_not_wait_for_rejections() {
    static IMPATIENT: RetryPolicy = RetryPolicy::new().attempts(1);
    static LIMIT: RateLimiter =
        RateLimiter::new(1, Duration::from_secs(1)).wait(Duration::from_secs(9));
    #[retry(policy = IMPATIENT)]
    #[timeout("50ms")]
    #[rate_limit(limiter = LIMIT)]
    async fn brief() -> Result<(), Rejected> {
        Ok(())
    }
    #[retry(policy = IMPATIENT)]
    #[timeout("1010ms")]
    #[rate_limit(limiter = LIMIT)]
    async fn long() -> Result<(), Rejected> {
        sleep(Duration::from_millis(50)).await;
        Ok(())
    }
    assert!(brief().await.is_ok());
    let start = Instant::now();
    let kind = brief().await.map_err(|rejected| rejected.kind());
    // The turn is after the timeout.
    assert_eq!((kind, start.elapsed()), (Err(RejectedKind::RateLimited), Duration::ZERO));
    let kind = long().await.map_err(|rejected| rejected.kind());
    assert_eq!((kind, start.elapsed()), (Err(RejectedKind::TimedOut), Duration::from_millis(1010)));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_calls_inside_starts_after_the_wait() {
    #[retry(attempts = 2, on_rejection = "wait")]
    #[timeout("50ms")]
    #[rate_limit(rate = 1)]
    async fn in_one_function() -> Result<Option<Duration>, Rejected> {
        Ok(context::remaining())
    }
    static LIMIT: RateLimiter = RateLimiter::new(1, Duration::from_secs(1));
    #[timeout("50ms")]
    async fn inner() -> Result<Option<Duration>, Rejected> {
        LIMIT.run_async(async { Ok(context::remaining()) }).await
    }
    async fn by_hand() -> Result<Option<Duration>, Rejected> {
        PATIENT.on(|rejected: &Rejected| Classify::classify(rejected)).run_async(inner).await
    }
    let all = Ok(Some(Duration::from_millis(50)));
    let start = Instant::now();
    for _ in 0..2 {
        assert_eq!(in_one_function().await, all);
        assert_eq!(by_hand().await, all);
    }
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    // The deadline of a function outside bounds the wait.
    let outside = Context::new().deadline(Duration::from_millis(500), "outside");
    for rejected in [outside.scope(in_one_function()).await, outside.scope(by_hand()).await] {
        assert_eq!(rejected.map_err(|it| it.kind()), Err(RejectedKind::RateLimited));
    }
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}

/// Calls by hand, as `classify` of a rejection says.
async fn by_hand<F>(policy: &RetryPolicy, body: impl FnMut() -> F) -> Result<(), Rejected>
where
    F: Future<Output = Result<(), Rejected>>,
{
    policy.on(|rejected: &Rejected| Classify::classify(rejected)).run_async(body).await
}

static PATIENT: RetryPolicy = RetryPolicy::new().attempts(2).wait_for_rejections(true);

#[tokio::test(start_paused = true)]
async fn callers_by_hand_that_wait_for_a_rate_limit_are_served_in_the_order_of_arrival() {
    static LIMIT: RateLimiter = RateLimiter::new(10, Duration::from_secs(1));
    async fn call(caller: usize, starts: Starts, start: Instant) -> Result<(), Rejected> {
        let body = || {
            LIMIT.run_async(async {
                record(caller, &starts, start);
                Ok(())
            })
        };
        by_hand(&PATIENT, body).await
    }
    let starts = order(20, call).await;
    let expected: Vec<_> = (0..20).map(|caller| (caller, caller as u128 * 100)).collect();
    assert_eq!(starts, expected);
}

#[tokio::test(start_paused = true)]
async fn callers_by_hand_that_wait_for_a_bulkhead_are_served_in_the_order_of_arrival() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new();
    static SLOTS: Bulkhead = Bulkhead::new(2);
    async fn call(caller: usize, starts: Starts, start: Instant) -> Result<(), Rejected> {
        let body = || {
            BREAKER.run_async(SLOTS.run_async(async {
                record(caller, &starts, start);
                sleep(Duration::from_millis(100)).await;
                Ok(())
            }))
        };
        by_hand(&PATIENT, body).await
    }
    let starts = order(20, call).await;
    let expected: Vec<_> = (0..20).map(|caller| (caller, caller as u128 / 2 * 100)).collect();
    assert_eq!(starts, expected);
}

#[tokio::test(start_paused = true)]
async fn callers_by_hand_wait_in_order_below_the_timeout_of_a_function() {
    static LIMIT: RateLimiter = RateLimiter::new(10, Duration::from_secs(1));
    #[timeout("50ms")]
    async fn limited(caller: usize, starts: &Starts, start: Instant) -> Result<(), Rejected> {
        LIMIT.acquire().await?;
        record(caller, starts, start);
        sleep(Duration::from_millis(40)).await;
        Ok(())
    }
    async fn call(caller: usize, starts: Starts, start: Instant) -> Result<(), Rejected> {
        by_hand(&PATIENT, || limited(caller, &starts, start)).await
    }
    let starts = order(20, call).await;
    let expected: Vec<_> = (0..20).map(|caller| (caller, caller as u128 * 100)).collect();
    assert_eq!(starts, expected);
}

#[tokio::test(start_paused = true)]
async fn callers_by_hand_wait_for_a_bulkhead_below_the_timeout_of_a_function() {
    static SLOTS: Bulkhead = Bulkhead::new(1);
    #[timeout("50ms")]
    async fn limited(caller: usize, starts: &Starts, start: Instant) -> Result<(), Rejected> {
        let _slot = SLOTS.acquire().await?;
        record(caller, starts, start);
        sleep(Duration::from_millis(40)).await;
        Ok(())
    }
    async fn call(caller: usize, starts: Starts, start: Instant) -> Result<(), Rejected> {
        by_hand(&PATIENT, || limited(caller, &starts, start)).await
    }
    let starts = order(5, call).await;
    let expected: Vec<_> = (0..5).map(|caller| (caller, caller as u128 * 40)).collect();
    assert_eq!(starts, expected);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_a_function_limits_the_body_below_a_retry_by_hand() {
    static LIMIT: RateLimiter = RateLimiter::new(10, Duration::from_secs(1));
    static ONCE: RetryPolicy = PATIENT.attempts(1);
    #[timeout("50ms")]
    async fn hangs() -> Result<(), Rejected> {
        LIMIT.acquire().await?;
        std::future::pending().await
    }
    assert!(LIMIT.acquire().await.is_ok());
    let start = Instant::now();
    let kind = by_hand(&ONCE, hangs).await.map_err(|rejected| rejected.kind());
    assert_eq!(kind, Err(RejectedKind::TimedOut));
    assert_eq!(start.elapsed(), Duration::from_millis(150));
}

#[tokio::test(start_paused = true)]
async fn the_wait_of_a_call_by_hand_ends_at_the_deadline_of_the_retry() {
    static LIMIT: RateLimiter = RateLimiter::new(1, Duration::from_secs(1));
    static BRIEF: RetryPolicy = PATIENT.deadline(Duration::from_secs(3));
    let call = || by_hand(&BRIEF, || LIMIT.run_async(async { Ok(()) }));
    let start = Instant::now();
    let calls: Vec<_> = (0..6).map(|_| tokio::spawn(call())).collect();
    assert!((3..=4).contains(&served(calls).await));
    assert!(start.elapsed() <= Duration::from_secs(3), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_limit_by_hand_without_a_retry_that_waits_rejects_at_once() {
    static LIMIT: RateLimiter = RateLimiter::new(1, Duration::from_secs(1));
    static SLOTS: Bulkhead = Bulkhead::new(1);
    let _slot = SLOTS.try_acquire().expect("free");
    assert!(LIMIT.acquire().await.is_ok());
    let start = Instant::now();
    let policy = RetryPolicy::new();
    let limited = by_hand(&policy, || LIMIT.run_async(async { Ok(()) })).await;
    assert_eq!(limited.map_err(|it| it.kind()), Err(RejectedKind::RateLimited));
    let full = by_hand(&policy, || SLOTS.run_async(async { Ok(()) })).await;
    assert_eq!(full.map_err(|it| it.kind()), Err(RejectedKind::BulkheadFull));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[test]
fn a_sync_caller_by_hand_waits_in_the_line_of_the_limit() {
    static LIMIT: RateLimiter = RateLimiter::new(10, Duration::from_secs(1));
    let clock = testing::clock();
    let call = || -> Result<(), Rejected> { PATIENT.run(|| LIMIT.run(|| Ok(()))) };
    assert!((0..20).all(|_| call().is_ok()));
    assert_eq!(clock.elapsed(), Duration::from_millis(1900));
}

#[test]
fn a_sync_caller_waits_in_the_line_of_the_limit() {
    #[retry(attempts = 2, on_rejection = "wait")]
    #[rate_limit(rate = 10)]
    fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let clock = testing::clock();
    assert!((0..20).all(|_| call().is_ok()));
    assert_eq!(clock.elapsed(), Duration::from_millis(1900));
}

#[test]
fn a_wait_uses_up_no_attempt_and_no_budget() {
    static BUDGET: RetryBudget = RetryBudget::new();
    let _clock = testing::clock();
    let tokens = BUDGET.tokens();
    let (bodies, rejections) = (Cell::new(0), Cell::new(0));
    let policy = RetryPolicy::new().attempts(3).budget(&BUDGET).wait_for_rejections(true);
    let call = policy.on(|rejected: &Rejected| Classify::classify(rejected));
    let result: Result<(), Rejected> =
        call.on_retry(|event| assert_eq!(event.attempt, 1)).run(|| {
            rejections.set(rejections.get() + 1);
            if rejections.get() <= 20 {
                let after = Some(Duration::from_secs(1));
                return Err(Rejected::new(RejectedKind::CircuitOpen, "open", after));
            }
            bodies.set(bodies.get() + 1);
            Ok(())
        });
    assert_eq!((result, bodies.get()), (Ok(()), 1));
    assert_eq!(BUDGET.tokens(), tokens);
}

#[test]
fn waits_for_rejections_end_without_a_deadline() {
    static FORCED: CircuitBreaker = CircuitBreaker::new();
    #[retry(attempts = 3, max_retry_after = "20s", on_rejection = "wait")]
    #[circuit_breaker(breaker = FORCED)]
    fn call() -> Result<(), Rejected> {
        unreachable!("open")
    }
    FORCED.force_open();
    let clock = testing::clock();
    assert!(call().is_err());
    let waited = clock.elapsed();
    assert!(waited <= Duration::from_secs(60) && waited > Duration::from_secs(30), "{waited:?}");
}

#[test]
fn failures_between_rejections_still_use_up_the_attempts() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    #[retry(attempts = 4, base_delay = "1ms", on_rejection = "wait")]
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "10s")]
    fn call() -> Result<(), Rejected> {
        CALLS.fetch_add(1, SeqCst);
        Err(Rejected::timed_out("upstream", Duration::from_millis(1)))
    }
    let _clock = testing::clock();
    assert!(call().is_err());
    assert_eq!(CALLS.load(SeqCst), 4);
}

#[test]
fn rejections_are_awaited_for_max_retry_after_times_the_attempts() {
    let clock = testing::clock();
    let time = Duration::from_secs(20);
    let policy = RetryPolicy::new().attempts(3).max_retry_after(time).wait_for_rejections(true);
    let out: Result<(), _> = policy
        .on(|rejected: &Rejected| Classify::classify(rejected))
        .run(|| Err(Rejected::new(RejectedKind::CircuitOpen, "gate", Some(time))));
    assert_eq!(out.map_err(|it| it.kind()), Err(RejectedKind::CircuitOpen));
    assert_eq!(clock.elapsed(), 3 * time);
}

#[test]
fn a_random_time_keeps_rejected_callers_apart() {
    fn waits(kind: RejectedKind, policy: RetryPolicy) -> Vec<Duration> {
        let (clock, _draws) = (testing::clock(), testing::draws([0.5]));
        let mut calls = Vec::new();
        let policy = policy.wait_for_rejections(true);
        let out = policy.on(|rejected: &Rejected| Classify::classify(rejected)).run(|| {
            calls.push(clock.elapsed());
            if calls.len() > 3 { Ok(()) } else { Err(Rejected::new(kind, "gate", Some(ms(1000)))) }
        });
        assert_eq!(out, Ok(()));
        calls.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect()
    }
    // A draw of one half, of a tenth of the time.
    let policy = RetryPolicy::new();
    assert_eq!(waits(RejectedKind::CircuitOpen, policy), [1050; 3].map(ms));
    // Of the time or of the time since the first rejection, if longer.
    assert_eq!(waits(RejectedKind::RateLimited, policy), [1500, 1750, 2625].map(ms));
    let exact = policy.jitter(Jitter::None);
    assert_eq!(waits(RejectedKind::CircuitOpen, exact), [1000; 3].map(ms));
    assert_eq!(waits(RejectedKind::RateLimited, exact), [1000; 3].map(ms));
}

#[test]
fn a_rejection_with_a_time_restarts_the_backoff() {
    #[retry(attempts = 4, jitter = "none", on_rejection = "wait", bind = attempt)]
    fn call(seen: &mut Vec<(u32, Option<Duration>)>) -> Result<(), Rejected> {
        seen.push((attempt.number(), attempt.previous_delay()));
        if seen.len() == 3 {
            return Err(Rejected::new(RejectedKind::CircuitOpen, "gate", Some(ms(1000))));
        }
        Err(Rejected::timed_out("upstream", ms(1)))
    }
    let _clock = testing::clock();
    let mut seen = Vec::new();
    assert!(call(&mut seen).is_err());
    let delays = [100, 200, 1000, 100].map(|delay| Some(ms(delay)));
    assert_eq!(seen, [(1, None), (2, delays[0]), (3, delays[1]), (3, delays[2]), (4, delays[3])]);
}

#[tokio::test(start_paused = true)]
async fn a_single_attempt_waits_for_its_turn_and_is_not_repeated() {
    #[retry(attempts = 1, on_rejection = "wait")]
    #[rate_limit(rate = 10)]
    async fn call(attempts: &Cell<u32>) -> Result<(), Rejected> {
        attempts.set(attempts.get() + 1);
        Err(Rejected::timed_out("upstream", Duration::from_millis(1)))
    }
    let (attempts, start) = (Cell::new(0), Instant::now());
    for calls in 0..3 {
        let failure = call(&attempts).await.unwrap_err();
        assert_eq!(failure.kind(), RejectedKind::TimedOut);
        assert_eq!(start.elapsed(), Duration::from_millis(100) * calls);
        assert_eq!(attempts.get(), calls + 1);
    }
}

#[test]
fn a_single_attempt_waits_for_an_open_circuit() {
    #[retry(attempts = 1, on_rejection = "wait", jitter = "none")]
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "30s")]
    fn call(works: bool) -> Result<(), Rejected> {
        let failure = || Rejected::timed_out("upstream", Duration::from_millis(1));
        works.then_some(()).ok_or_else(failure)
    }
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    assert_eq!(call(false).unwrap_err().kind(), RejectedKind::TimedOut);
    assert_eq!(clock.elapsed(), Duration::ZERO);
    assert!(call(true).is_ok());
    assert_eq!(clock.elapsed(), Duration::from_secs(30));
}

/// A failure that leaves the circuit below open ends the call, unless the retry may wait so long.
#[test]
fn a_failure_that_opens_a_circuit_below() {
    let ends = |waits: bool, open: u64| {
        let clock = testing::clock();
        let open = Duration::from_secs(open);
        let breaker = CircuitBreaker::new().failure_threshold(1).reset_timeout(open).jitter(0.0);
        let policy = RetryPolicy::new().attempts(2).max_retry_after(Duration::from_secs(10));
        let policy = policy.wait_for_rejections(waits);
        let mut reason = None;
        let failed = policy.on(|_: &Rejected| true).on_give_up(|event| reason = Some(event.reason));
        let outcome: Result<(), _> = failed.run(|| {
            breaker.try_acquire()?.failure();
            Err(Rejected::timed_out("upstream", ms(1)))
        });
        assert_eq!(outcome.unwrap_err().kind(), RejectedKind::TimedOut);
        (reason, clock.elapsed() >= open)
    };
    assert_eq!(ends(true, 10), (Some(StopReason::Attempts), true));
    assert_eq!(ends(true, 11), (Some(StopReason::CircuitOpen), false));
    assert_eq!(ends(false, 10), (Some(StopReason::CircuitOpen), false));
}

/// A queue with a limit rejects calls, however long a retry may wait.
#[tokio::test(start_paused = true)]
async fn a_full_queue_rejects_calls_with_the_longest_wait() {
    let bulkhead = Bulkhead::new(1).queue(1);
    let policy = RetryPolicy::new().max_retry_after(Duration::MAX).wait_for_rejections(true);
    let _permit = bulkhead.try_acquire().expect("a permit");
    let mut waiting = Box::pin(bulkhead.acquire());
    assert!(futures::poll!(&mut waiting).is_pending());
    let attempts = Cell::new(0);
    let call = policy.run_async(|| {
        attempts.set(attempts.get() + 1);
        async { bulkhead.acquire().await.map(drop) }
    });
    let outcome = tokio::time::timeout(Duration::from_secs(10), call).await;
    let rejected = outcome.expect("no place in the full queue").unwrap_err();
    assert_eq!((rejected.kind(), attempts.get()), (RejectedKind::BulkheadFull, 3));
}
