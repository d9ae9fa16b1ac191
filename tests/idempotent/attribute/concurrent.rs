//! Concurrent calls.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use resilience::{IdempotencyRejection, RejectedKind, idempotent};
use tokio::time::{Instant, sleep, timeout};

use super::{Answer, Failure, Runs, rejected_as};

#[tokio::test(start_paused = true)]
async fn the_second_call_waits_for_the_first() {
    #[idempotent(key = id, scope = "global", name = "concurrent.wait")]
    async fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        sleep(Duration::from_secs(2)).await;
        Ok(runs.next())
    }
    let (runs, others, start) = (Runs::default(), Runs::default(), Instant::now());
    let all = tokio::join!(call(1, &runs), call(1, &runs), call(1, &runs), call(2, &others));
    assert_eq!(all, (Ok(1), Ok(1), Ok(1), Ok(1)));
    assert_eq!((runs.count(), others.count()), (1, 1));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_wait_has_a_limit() {
    #[idempotent(key = id, scope = "global", concurrent = wait("1s"), name = "concurrent.limit")]
    async fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        sleep(Duration::from_secs(2)).await;
        Ok(runs.next())
    }
    let (runs, start) = (Runs::default(), Instant::now());
    let second = async {
        let second = call(1, &runs).await;
        (second, start.elapsed())
    };
    let (first, (second, waited)) = tokio::join!(call(1, &runs), second);
    assert_eq!(
        (first, second),
        (Ok(1), rejected_as(RejectedKind::Idempotency(IdempotencyRejection::InFlight)))
    );
    assert!(waited >= Duration::from_secs(1) && waited < Duration::from_millis(1100), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn concurrent_reject_does_not_wait() {
    #[idempotent(
        key = id,
        scope = "global",
        concurrent = "reject",
        lease = "9s",
        error = |rejected| rejected.retry_after().unwrap_or_default(),
        name = "concurrent.reject"
    )]
    async fn call(id: u32, #[skip] runs: &Runs) -> Result<u32, Duration> {
        sleep(Duration::from_secs(2)).await;
        Ok(runs.next())
    }
    let (runs, start) = (Runs::default(), Instant::now());
    let second = async {
        let second = call(1, &runs).await;
        (second, start.elapsed())
    };
    let both = tokio::join!(call(1, &runs), second);
    assert_eq!(both, (Ok(1), (Err(Duration::from_secs(9)), Duration::ZERO)));
}

#[tokio::test(start_paused = true)]
async fn a_different_request_with_the_key_is_rejected_at_once() {
    #[idempotent(key = id, scope = "global", name = "concurrent.mismatch")]
    async fn call(id: u32, cents: u32, #[skip] runs: &Runs) -> Answer {
        sleep(Duration::from_secs(2)).await;
        Ok(runs.next())
    }
    let runs = Runs::default();
    let other = timeout(Duration::ZERO, call(1, 6, &runs));
    let (first, other) = tokio::join!(call(1, 5, &runs), other);
    assert_eq!(
        (first, other),
        (Ok(1), Ok(rejected_as(RejectedKind::Idempotency(IdempotencyRejection::KeyReused))))
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_a_waiting_call_runs() {
    #[idempotent(key = id, scope = "global", name = "concurrent.failure")]
    async fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        sleep(Duration::from_secs(1)).await;
        if runs.next() == 1 { Err(Failure::Lost) } else { Ok(runs.count()) }
    }
    let runs = Runs::default();
    let all = tokio::join!(call(1, &runs), call(1, &runs), call(1, &runs));
    assert_eq!(all, (Err(Failure::Lost), Ok(2), Ok(2)));
}

#[tokio::test(start_paused = true)]
async fn a_long_body_renews_its_lease() {
    #[idempotent(
        key = id,
        scope = "global",
        lease = "3s",
        concurrent = wait("1m"),
        name = "concurrent.lease"
    )]
    async fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        sleep(Duration::from_secs(30)).await;
        Ok(runs.next())
    }
    let runs = Runs::default();
    let late = async {
        sleep(Duration::from_secs(20)).await;
        call(1, &runs).await
    };
    assert_eq!(tokio::join!(call(1, &runs), late), (Ok(1), Ok(1)));
}

/// Counts the polls of a call.
struct Polled<F> {
    call: Pin<Box<F>>,
    polls: Arc<AtomicUsize>,
}

impl<F: Future> Future for Polled<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.polls.fetch_add(1, Relaxed);
        self.call.as_mut().poll(cx)
    }
}

/// Each call waits for the calls before it, runs and fails. A wake-up of all waiting calls after
/// each failure would need a square of polls: 4,504,500 for 3,000 calls.
#[tokio::test(start_paused = true)]
async fn waiting_calls_that_fail_are_polled_a_few_times_each() {
    #[idempotent(key = id, scope = "global", name = "polled", concurrent = wait("1h"))]
    async fn fails(id: u32) -> Answer {
        let _ = id;
        tokio::task::yield_now().await;
        Err(Failure::Lost)
    }
    for calls in [300, 3_000] {
        let polls = Arc::new(AtomicUsize::new(0));
        let answers = futures::future::join_all((0..calls).map(|_| {
            let (call, polls) = (Box::pin(fails(1)), Arc::clone(&polls));
            Polled { call, polls }
        }));
        assert!(answers.await.iter().all(|answer| *answer == Err(Failure::Lost)));
        let polls = polls.load(Relaxed);
        assert!(polls <= 8 * calls, "{calls} calls: {polls} polls");
    }
}
