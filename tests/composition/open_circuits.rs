//! A failure that leaves the circuit below open: the retry makes no attempt that would be rejected.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use resilience::{
    CircuitBreaker, CircuitSnapshot, CircuitState, FailureClass, GiveUpEvent, RejectedKind,
    RetryPolicy, StopReason, circuit_breaker, rate_limit, retry, testing, timeout,
};
use tokio::time::{Instant, sleep};

use crate::Failure;

const MS: Duration = Duration::from_millis(1);

/// The number of attempts, and the reason of the end.
type End = (u32, StopReason);

fn end<E>(event: &GiveUpEvent<'_, E>) -> End {
    (event.attempt, event.reason)
}

#[test]
fn the_failure_that_opens_the_circuit_is_returned_at_once() {
    #[retry(
        attempts = 5,
        base_delay = "100ms",
        jitter = "none",
        on_give_up = |event| *given_up = Some(end(event))
    )]
    #[circuit_breaker(failure_threshold = 2)]
    fn call(given_up: &mut Option<End>) -> Result<(), Failure> {
        Err(Failure::Down)
    }
    let clock = testing::clock();
    let mut given_up = None;
    assert_eq!(call(&mut given_up), Err(Failure::Down));
    assert_eq!(given_up, Some((2, StopReason::CircuitOpen)));
    assert_eq!(clock.elapsed(), 100 * MS);
    // The next call is rejected before its first attempt.
    assert!(matches!(call(&mut given_up), Err(Failure::Rejected(_))));
    assert_eq!(given_up, Some((0, StopReason::Rejected)));
}

#[tokio::test(start_paused = true)]
async fn an_async_call_without_hooks_returns_the_failure_at_once() {
    #[retry(attempts = 5, base_delay = "100ms", jitter = "none")]
    #[circuit_breaker(failure_rate = 1.0, window = 10, min_calls = 3)]
    async fn call() -> Result<(), Failure> {
        Err(Failure::Down)
    }
    let start = Instant::now();
    assert_eq!(call().await, Err(Failure::Down));
    assert_eq!(start.elapsed(), 300 * MS);
}

#[test]
fn a_value_that_opens_the_circuit_is_returned_at_once() {
    #[retry(attempts = 5, base_delay = "100ms", jitter = "none", on_ok = |n: &u16| *n >= 500)]
    #[circuit_breaker(failure_threshold = 1, on_ok = |n: &u16| *n >= 500)]
    fn call() -> Result<u16, Failure> {
        Ok(503)
    }
    let clock = testing::clock();
    assert_eq!(call(), Ok(503));
    assert_eq!(clock.elapsed(), Duration::ZERO);
}

#[test]
fn breakers_of_a_key_and_breakers_from_elsewhere_stop_the_retry_as_well() {
    static SHARED: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
    #[retry(attempts = 5)]
    #[circuit_breaker(failure_threshold = 1, key = host)]
    fn keyed(host: &str) -> Result<(), Failure> {
        Err(Failure::Down)
    }
    #[retry(attempts = 5)]
    #[circuit_breaker(breaker = SHARED)]
    fn shared() -> Result<(), Failure> {
        Err(Failure::Down)
    }
    let clock = testing::clock();
    assert_eq!((keyed("a"), keyed("b")), (Err(Failure::Down), Err(Failure::Down)));
    assert_eq!(shared(), Err(Failure::Down));
    assert_eq!(clock.elapsed(), Duration::ZERO);
}

#[test]
fn a_circuit_that_others_open_during_the_attempt_stops_the_retry() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new();
    #[retry(attempts = 5)]
    #[circuit_breaker(breaker = BREAKER)]
    fn call() -> Result<(), Failure> {
        BREAKER.force_open();
        Err(Failure::Down)
    }
    let clock = testing::clock();
    assert_eq!(call(), Err(Failure::Down));
    assert_eq!(clock.elapsed(), Duration::ZERO);
}

#[test]
fn a_delay_beyond_the_time_of_a_forced_state_leads_to_an_attempt() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new();
    #[retry(attempts = 2, base_delay = "10s", jitter = "none")]
    #[circuit_breaker(breaker = BREAKER)]
    fn call(calls: &mut u32) -> Result<(), Failure> {
        *calls += 1;
        if *calls == 2 {
            return Ok(());
        }
        let mut forced = CircuitSnapshot::default();
        (forced.state, forced.open_for) = (CircuitState::ForcedOpen, Some(5000 * MS));
        BREAKER.restore(&forced);
        Err(Failure::Down)
    }
    let clock = testing::clock();
    assert_eq!(call(&mut 0), Ok(()));
    assert_eq!(clock.elapsed(), 10_000 * MS);
}

#[test]
fn a_breaker_in_shadow_mode_does_not_stop_the_retry() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    #[retry(attempts = 3)]
    #[circuit_breaker(failure_threshold = 1, shadow)]
    fn call() -> Result<(), Failure> {
        CALLS.fetch_add(1, SeqCst);
        Err(Failure::Down)
    }
    let _clock = testing::clock();
    assert_eq!(call(), Err(Failure::Down));
    assert_eq!(CALLS.load(SeqCst), 3);
}

#[test]
fn a_delay_beyond_the_open_time_leads_to_a_trial_call() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    #[retry(attempts = 3, base_delay = "10s", max_delay = "20s", jitter = "none")]
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "5s")]
    fn call() -> Result<u32, Failure> {
        match CALLS.fetch_add(1, SeqCst) {
            0 => Err(Failure::Down),
            calls => Ok(calls),
        }
    }
    let clock = testing::clock();
    assert_eq!(call(), Ok(1));
    assert_eq!(clock.elapsed(), 10_000 * MS);
}

#[test]
fn an_open_time_as_long_as_the_delay_or_max_retry_after_leads_to_a_trial_call() {
    #[retry(attempts = 2, base_delay = "5s", jitter = "none")]
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "5s")]
    fn by_delay(calls: &mut u32) -> Result<u32, Failure> {
        *calls += 1;
        if *calls == 1 { Err(Failure::Down) } else { Ok(*calls) }
    }
    #[retry(attempts = 2, jitter = "none", max_retry_after = "5s", on_rejection = "wait")]
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "5s")]
    fn by_wait(calls: &mut u32) -> Result<u32, Failure> {
        *calls += 1;
        if *calls == 1 { Err(Failure::Down) } else { Ok(*calls) }
    }
    let clock = testing::clock();
    assert_eq!(by_delay(&mut 0), Ok(2));
    assert_eq!(clock.elapsed(), 5000 * MS);
    assert_eq!(by_wait(&mut 0), Ok(2));
    assert_eq!(clock.elapsed(), 10_000 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_waits_for_rejections_waits_for_the_trial_call() {
    static CALLS: Mutex<Vec<Duration>> = Mutex::new(Vec::new());
    static RETRIES: AtomicU32 = AtomicU32::new(0);
    #[retry(
        attempts = 3,
        base_delay = "1ms",
        jitter = "none",
        on_rejection = "wait",
        on_retry = |_| _ = RETRIES.fetch_add(1, SeqCst)
    )]
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "10s", jitter = 0.0)]
    async fn call(start: Instant) -> Result<(), Failure> {
        let mut calls = CALLS.lock().unwrap();
        calls.push(start.elapsed());
        if calls.len() < 3 { Err(Failure::Down) } else { Ok(()) }
    }
    assert_eq!(call(Instant::now()).await, Ok(()));
    assert_eq!(*CALLS.lock().unwrap(), [Duration::ZERO, 10_000 * MS, 20_000 * MS]);
    assert_eq!(RETRIES.load(SeqCst), 2);
}

#[test]
fn a_retry_waits_for_no_circuit_beyond_max_retry_after() {
    #[retry(
        attempts = 3,
        max_retry_after = "5s",
        on_rejection = "wait",
        on_give_up = |event| *given_up = Some(end(event))
    )]
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "10s")]
    fn call(given_up: &mut Option<End>) -> Result<(), Failure> {
        Err(Failure::Down)
    }
    let clock = testing::clock();
    let mut given_up = None;
    assert_eq!(call(&mut given_up), Err(Failure::Down));
    assert_eq!(given_up, Some((1, StopReason::CircuitOpen)));
    assert_eq!(clock.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_between_that_opens_the_circuit_stops_the_retry() {
    #[retry(attempts = 5)]
    #[timeout("1s")]
    #[circuit_breaker(failure_threshold = 1, on_cancel = "failure")]
    async fn call() -> Result<(), Failure> {
        sleep(60_000 * MS).await;
        Ok(())
    }
    let start = Instant::now();
    let timed_out = call().await;
    assert!(
        matches!(&timed_out, Err(Failure::Rejected(why)) if why.kind() == RejectedKind::TimedOut),
        "{timed_out:?}"
    );
    assert_eq!(start.elapsed(), 1000 * MS);
}

#[test]
fn an_attempt_that_was_rejected_is_not_counted() {
    #[retry(attempts = 5, base_delay = "1ms", on_give_up = |e| *given_up = Some(end(e)))]
    #[rate_limit(rate = 1, per = "1m")]
    fn call(given_up: &mut Option<End>) -> Result<(), Failure> {
        Err(Failure::Down)
    }
    let _clock = testing::clock();
    let mut given_up = None;
    assert!(call(&mut given_up).is_err());
    assert_eq!(given_up, Some((1, StopReason::Rejected)));
}

/// Makes a call by hand with up to five attempts, and returns the outcome and the end of the retry.
async fn by_hand<F>(
    policy: RetryPolicy,
    body: impl FnMut() -> F,
) -> (Result<(), Failure>, Option<(u32, StopReason)>)
where
    F: Future<Output = Result<(), Failure>>,
{
    let mut end = None;
    let policy = policy.attempts(5).base_delay(Duration::from_millis(10));
    let out = policy
        .on(|error: &Failure| match error {
            Failure::Rejected(rejected) => resilience::Classify::classify(rejected),
            _ => FailureClass::transient(),
        })
        .on_give_up(|event| end = Some((event.attempt, event.reason)))
        .run_async(body)
        .await;
    (out, end)
}

#[tokio::test(start_paused = true)]
async fn a_call_by_hand_ends_with_the_failure_that_opens_the_circuit() {
    let ended = (Err(Failure::Down), Some((2, StopReason::CircuitOpen)));
    let breaker = || CircuitBreaker::new().failure_threshold(2);
    let (run, report, fail) = (breaker(), breaker(), breaker());
    let failing = async || Err(Failure::Down);
    assert_eq!(by_hand(RetryPolicy::new(), || run.run_async(failing())).await, ended);
    let body = async || {
        let guard = report.try_acquire()?;
        guard.report(FailureClass::transient(), &"HTTP 500");
        Err(Failure::Down)
    };
    assert_eq!(by_hand(RetryPolicy::new(), body).await, ended);
    let body = async || {
        let guard = fail.try_acquire()?;
        tokio::task::yield_now().await;
        guard.failure();
        Err(Failure::Down)
    };
    assert_eq!(by_hand(RetryPolicy::new(), body).await, ended);
    // The breaker of a function that the body calls.
    #[circuit_breaker(failure_threshold = 2)]
    async fn inner() -> Result<(), Failure> {
        Err(Failure::Down)
    }
    assert_eq!(by_hand(RetryPolicy::new(), inner).await, ended);
}

#[test]
fn a_sync_call_by_hand_ends_with_the_failure_that_opens_the_circuit() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_threshold(1);
    let retry = RetryPolicy::new().attempts(5);
    let out: Result<(), Failure> = retry.run(|| breaker.run(|| Err(Failure::Down)));
    assert_eq!((out, clock.elapsed()), (Err(Failure::Down), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_retry_by_hand_outside_another_retry_ends_with_the_failure_too() {
    let breaker = CircuitBreaker::new().failure_threshold(1);
    let (retry, mut calls) = (RetryPolicy::new(), 0);
    let inner = || {
        calls += 1;
        retry.run_async(|| breaker.run_async(async { Err(Failure::Down) }))
    };
    let ended = (Err(Failure::Down), Some((1, StopReason::CircuitOpen)));
    assert_eq!((by_hand(RetryPolicy::new(), inner).await, calls), (ended, 1));
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_ends_no_attempt_that_fails_later_for_another_reason() {
    let (optional, mut calls) = (CircuitBreaker::new().failure_threshold(1), 0);
    let body = || {
        calls += 1;
        let optional = optional.run_async(async { Err::<(), _>(Failure::Down) });
        async move {
            let _ = optional.await;
            tokio::task::yield_now().await;
            Err(Failure::Down)
        }
    };
    let ended = (Err(Failure::Down), Some((5, StopReason::Attempts)));
    assert_eq!((by_hand(RetryPolicy::new(), body).await, calls), (ended, 5));
}

#[tokio::test(start_paused = true)]
async fn a_patient_call_by_hand_waits_until_the_circuit_admits_a_trial_call() {
    let reset = Duration::from_secs(30);
    let (breaker, mut calls) = (CircuitBreaker::new().failure_threshold(1).reset_timeout(reset), 0);
    let start = Instant::now();
    let body = || {
        calls += 1;
        let out = if calls == 1 { Err(Failure::Down) } else { Ok(()) };
        breaker.run_async(async move { out })
    };
    let out = by_hand(RetryPolicy::new().wait_for_rejections(true), body).await;
    assert_eq!((out, calls), ((Ok(()), None), 2));
    assert!((reset..=reset.mul_f64(1.2)).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_call_by_hand_that_is_dropped_and_opens_the_circuit_ends_the_retry() {
    let breaker =
        CircuitBreaker::new().failure_threshold(1).on_cancel(resilience::OnCancel::Failure);
    let mut calls = 0;
    let body = || {
        calls += 1;
        let hangs = breaker.run_async(std::future::pending::<Result<(), Failure>>());
        async { tokio::time::timeout(1000 * MS, hangs).await.unwrap_or(Err(Failure::Down)) }
    };
    let ended = (Err(Failure::Down), Some((1, StopReason::CircuitOpen)));
    assert_eq!((by_hand(RetryPolicy::new(), body).await, calls), (ended, 1));
}
