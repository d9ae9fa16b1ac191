//! `on_rejection = "wait"`: the callers that wait are served.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use resilience::{
    Bulkhead, CircuitBreaker, RateLimiter, Rejected, RejectedKind, RetryBudget, RetryPolicy,
    bulkhead, circuit_breaker, rate_limit, retry, testing, timeout,
};
use tokio::time::{Instant, sleep};

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
    // The wait takes place above the timeout, and not in the time of an attempt.
    #[retry(attempts = 2, on_rejection = "wait")]
    #[timeout("50ms")]
    #[rate_limit(rate = 10)]
    async fn limited() -> Result<(), Rejected> {
        Ok(())
    }
    #[retry(attempts = 2, on_rejection = "wait")]
    #[circuit_breaker(slow_call = "50ms", min_calls = 2, name = "no slow wait")]
    #[rate_limit(rate = 10)]
    async fn measured() -> Result<(), Rejected> {
        Ok(())
    }
    let calls: Vec<_> = (0..5).map(|_| tokio::spawn(limited())).collect();
    assert_eq!(served(calls).await, 5);
    let calls: Vec<_> = (0..5).map(|_| tokio::spawn(measured())).collect();
    assert_eq!(served(calls).await, 5);
    let breaker = circuit_breaker("no slow wait").expect("called");
    assert_eq!(breaker.state(), resilience::CircuitState::Closed);
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
    let call = policy.on(|rejected: &Rejected| resilience::Classify::classify(rejected));
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
