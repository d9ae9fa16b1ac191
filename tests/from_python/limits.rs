//! Equivalents of `stop_before_delay` and `asyncio.wait_for`.

use std::cell::Cell;
use std::future::ready;
use std::time::Duration;

use resilience::{Rejected, RejectedKind, retry, timeout};
use tokio::time::{Instant, sleep};

use crate::{Calls, Down};

#[retry(attempts = "unlimited", deadline = "10s", backoff = "fixed", base_delay = "4s")]
fn by_time(calls: &mut Calls) -> Result<(), Down> {
    calls.begin();
    Err(Down)
}

#[retry(attempts = 5, deadline = "10s", backoff = "fixed", base_delay = "4s")]
fn by_both(calls: &mut Calls, takes: Duration) -> Result<(), Down> {
    calls.begin();
    calls.clock.advance(takes);
    Err(Down)
}

/// `stop_before_delay(8)`: a delay until exactly the deadline does not start.
#[retry(attempts = "unlimited", deadline = "8s", backoff = "fixed", base_delay = "4s")]
fn exactly(calls: &mut Calls) -> Result<(), Down> {
    calls.begin();
    Err(Down)
}

#[test]
fn a_deadline_is_stop_before_delay() {
    let mut calls = Calls::new();
    assert_eq!(by_time(&mut calls), Err(Down));
    assert_eq!(calls.waits(), [4.0, 4.0]);

    let mut calls = Calls::new();
    assert_eq!(exactly(&mut calls), Err(Down));
    assert_eq!(calls.waits(), [4.0]);
}

#[test]
fn attempts_or_the_deadline_end_the_call() {
    let mut calls = Calls::new();
    assert_eq!(by_both(&mut calls, Duration::ZERO), Err(Down));
    assert_eq!(calls.starts.len(), 3);
    let mut calls = Calls::new();
    assert_eq!(by_both(&mut calls, Duration::from_secs(6)), Err(Down));
    assert_eq!(calls.starts.len(), 1); // 6 s and a delay of 4 s are 10 s
}

#[timeout("5s")]
async fn fetch(takes: Duration) -> Result<u32, Rejected> {
    sleep(takes).await;
    Ok(7)
}

#[tokio::test(start_paused = true)]
async fn wait_for_is_a_timeout() {
    let start = Instant::now();
    assert_eq!(fetch(Duration::from_secs(4)).await, Ok(7));
    assert_eq!(start.elapsed(), Duration::from_secs(4));

    let error = fetch(Duration::from_secs(6)).await.expect_err("a timeout");
    assert_eq!(error.kind(), RejectedKind::TimedOut);
    assert_eq!(start.elapsed(), Duration::from_secs(4 + 5));
}

#[timeout(limit)]
async fn within(limit: Duration) -> Result<u32, Rejected> {
    Ok(ready(7).await)
}

/// `wait_for(…, timeout=0)` cancels a coroutine that is ready.
#[tokio::test(start_paused = true)]
async fn a_future_that_is_ready_succeeds_with_a_limit_of_zero() {
    assert_eq!(within(Duration::ZERO).await, Ok(7));
}

struct SetOnDrop<'a>(&'a Cell<bool>);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[timeout("5s")]
async fn guarded(is_dropped: &Cell<bool>) -> Result<(), Rejected> {
    let _guard = SetOnDrop(is_dropped);
    std::future::pending().await
}

/// A task cancelled by `wait_for` may continue.
#[tokio::test(start_paused = true)]
async fn the_body_is_dropped_at_the_limit() {
    let (start, is_dropped) = (Instant::now(), Cell::new(false));
    assert!(guarded(&is_dropped).await.is_err());
    assert!(is_dropped.get());
    assert_eq!(start.elapsed(), Duration::from_secs(5));
}
