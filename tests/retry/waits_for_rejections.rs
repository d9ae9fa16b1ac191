//! `on_rejection = "wait"`: the callers that wait are served.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use resilience::{
    CircuitBreaker, Rejected, RejectedKind, RetryBudget, RetryPolicy, circuit_breaker, rate_limit,
    retry, testing,
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

#[tokio::test(start_paused = true)]
async fn all_callers_that_wait_for_a_rate_limit_are_served() {
    #[retry(attempts = 5, on_rejection = "wait")]
    #[rate_limit(rate = 10)]
    async fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let _seed = testing::seed(3);
    let start = Instant::now();
    let calls = (0..50).map(|_| tokio::spawn(call())).collect();
    assert_eq!(served(calls).await, 50);
    let elapsed = start.elapsed();
    let range = Duration::from_millis(4900)..Duration::from_secs(60);
    assert!(range.contains(&elapsed), "{elapsed:?}");
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
