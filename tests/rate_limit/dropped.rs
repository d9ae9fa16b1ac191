//! Calls that are dropped in a queue below the limit return their permits.

use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use resilience::{
    Bulkhead, RateLimiter, Rejected, RejectedKind, bulkhead, circuit_breaker, rate_limit, retry,
    timeout,
};

const HOUR: Duration = Duration::from_secs(3600);

/// Polls a call that waits, and drops the call.
async fn drop_while_waiting(call: impl Future) {
    let mut call = pin!(call);
    poll_fn(|cx| {
        assert!(call.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_in_the_queue_of_a_bulkhead_returns_its_cost() {
    static LIMIT: RateLimiter = RateLimiter::new(100, HOUR).burst(100);
    static BULKHEAD: Bulkhead = Bulkhead::new(1).queue(9);
    #[rate_limit(limiter = LIMIT, cost = 10)]
    #[circuit_breaker]
    #[bulkhead(bulkhead = BULKHEAD)]
    async fn call() -> Result<(), Rejected> {
        pending().await
    }
    let mut running = Box::pin(call());
    drop_while_waiting(running.as_mut()).await;
    assert_eq!((LIMIT.available(), BULKHEAD.running()), (90, 1));
    {
        let mut queued = Box::pin(call());
        drop_while_waiting(queued.as_mut()).await;
        assert_eq!((LIMIT.available(), BULKHEAD.queued()), (80, 1));
    }
    assert_eq!((LIMIT.available(), BULKHEAD.queued()), (90, 0));
    // A running call has used its permits.
    drop(running);
    assert_eq!((LIMIT.available(), BULKHEAD.running()), (90, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_leaves_the_queue_for_its_body_keeps_its_cost() {
    static LIMIT: RateLimiter = RateLimiter::new(10, HOUR).burst(10);
    static BULKHEAD: Bulkhead = Bulkhead::new(1);
    #[rate_limit(limiter = LIMIT)]
    #[bulkhead(bulkhead = BULKHEAD, wait = "unlimited")]
    async fn call() -> Result<(), Rejected> {
        pending().await
    }
    let permit = BULKHEAD.try_acquire().expect("a free bulkhead");
    let mut queued = Box::pin(call());
    drop_while_waiting(queued.as_mut()).await;
    drop(permit);
    let limited = tokio::time::timeout(Duration::from_secs(1), queued);
    assert!(limited.await.is_err());
    assert_eq!(LIMIT.available(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_while_it_waits_for_a_second_limit_returns_the_first_permit() {
    static QUOTA: RateLimiter = RateLimiter::new(10, HOUR).burst(10);
    #[rate_limit(limiter = QUOTA)]
    #[rate_limit(rate = 1, per = "1m", wait = "unlimited")]
    async fn call() -> Result<(), Rejected> {
        Ok(())
    }
    assert!(call().await.is_ok());
    drop_while_waiting(call()).await;
    assert_eq!(QUOTA.available(), 9);
}

#[tokio::test(start_paused = true)]
async fn the_limiter_of_a_key_takes_back_its_permit() {
    #[rate_limit(rate = 1, per = "1h", key = id)]
    #[bulkhead(max = 1, queue = 9)]
    async fn call(id: u32) -> Result<(), Rejected> {
        pending().await
    }
    let mut running = Box::pin(call(1));
    drop_while_waiting(running.as_mut()).await;
    for _ in 0..3 {
        drop_while_waiting(call(2)).await;
    }
    drop(running);
    assert_eq!(call(1).await.unwrap_err().kind(), RejectedKind::RateLimited);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_above_returns_the_permit_of_a_queued_call() {
    static LIMIT: RateLimiter = RateLimiter::new(10, HOUR).burst(10);
    static BULKHEAD: Bulkhead = Bulkhead::new(1).queue(9);
    #[timeout("1s")]
    #[rate_limit(limiter = LIMIT)]
    #[bulkhead(bulkhead = BULKHEAD)]
    async fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let _permit = BULKHEAD.try_acquire().expect("a free bulkhead");
    assert_eq!(call().await.unwrap_err().kind(), RejectedKind::TimedOut);
    assert_eq!(LIMIT.available(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_in_place_of_a_rejection_returns_its_permit() {
    static LIMIT: RateLimiter = RateLimiter::new(10, HOUR).burst(10);
    #[retry(on_rejection = "wait")]
    #[rate_limit(limiter = LIMIT)]
    #[bulkhead(max = 1)]
    async fn call() -> Result<(), Rejected> {
        pending().await
    }
    let mut running = Box::pin(call());
    drop_while_waiting(running.as_mut()).await;
    drop_while_waiting(call()).await;
    assert_eq!(LIMIT.available(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_retry_below_the_limit_keeps_the_permit_of_an_attempt_that_was_sent() {
    static LIMIT: RateLimiter = RateLimiter::new(10, HOUR).burst(10);
    static BULKHEAD: Bulkhead = Bulkhead::new(1).queue(9);
    #[rate_limit(limiter = LIMIT)]
    #[retry(attempts = 2, initial_delay = "1s", backoff = "fixed", base_delay = "1s")]
    #[bulkhead(bulkhead = BULKHEAD)]
    async fn call() -> Result<(), Rejected> {
        Err(Rejected::timed_out("upstream", Duration::ZERO))
    }
    let mut retrying = Box::pin(call());
    tokio::select! {
        _ = &mut retrying => panic!("the second attempt waits"),
        () = tokio::time::sleep(Duration::from_millis(1500)) => {}
    }
    let _permit = BULKHEAD.try_acquire().expect("a free bulkhead");
    tokio::select! {
        _ = &mut retrying => panic!("the second attempt waits"),
        () = tokio::time::sleep(Duration::from_secs(2)) => {}
    }
    assert_eq!(BULKHEAD.queued(), 1);
    drop(retrying);
    assert_eq!(LIMIT.available(), 9);
}
