//! Rejections by the layers below a hedge.

use std::cell::Cell;
use std::time::Duration;

use resilience::{
    Bulkhead, CircuitBreaker, RateLimiter, Rejected, RejectedKind, bulkhead, circuit_breaker,
    hedge, rate_limit,
};

use crate::{Log, sleep};

#[hedge(after = "10ms", max = 3, idempotent)]
#[circuit_breaker(breaker = breaker)]
async fn guarded(breaker: &CircuitBreaker, log: &Log) -> Result<usize, Rejected> {
    let (attempt, _running) = log.start();
    sleep(100).await;
    Ok(attempt)
}

#[tokio::test(start_paused = true)]
async fn a_hedge_that_meets_an_open_circuit_is_no_attempt() {
    let (breaker, log) = (CircuitBreaker::new(), Log::new());
    let call = guarded(&breaker, &log);
    let open = async {
        sleep(5).await;
        breaker.trip();
    };
    let (result, ()) = tokio::join!(call, open);
    assert_eq!(result.ok(), Some(0), "the first attempt goes on");
    assert_eq!((log.starts(), log.now()), (vec![0], 100));
}

#[tokio::test(start_paused = true)]
async fn a_call_rejected_at_the_first_attempt_is_not_hedged() {
    let (breaker, log) = (CircuitBreaker::new(), Log::new());
    breaker.trip();
    let rejected = guarded(&breaker, &log).await.unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::CircuitOpen);
    assert_eq!((log.starts(), log.now()), (vec![], 0));
}

#[hedge(after = "10ms", idempotent)]
#[bulkhead(bulkhead = limit)]
async fn limited(limit: &Bulkhead, log: &Log) -> Result<usize, Rejected> {
    let (attempt, _running) = log.start();
    sleep(100).await;
    Ok(attempt)
}

#[tokio::test(start_paused = true)]
async fn a_hedge_that_meets_a_full_bulkhead_is_no_attempt() {
    let (limit, log) = (Bulkhead::new(1), Log::new());
    assert_eq!(limited(&limit, &log).await.ok(), Some(0));
    assert_eq!(log.starts(), [0]);
    assert_eq!(limit.running(), 0);
}

#[rate_limit(limiter = limiter)]
#[hedge(after = "10ms", idempotent)]
#[bulkhead(bulkhead = limit)]
async fn under_a_rate(
    limiter: &RateLimiter,
    limit: &Bulkhead,
    runs: &Cell<u32>,
) -> Result<(), Rejected> {
    runs.set(runs.get() + 1);
    sleep(100).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_above_keeps_the_permit_of_a_call_whose_hedge_was_rejected() {
    let (limit, runs) = (Bulkhead::new(1), Cell::new(0));
    let limiter = RateLimiter::new(2, Duration::from_secs(3600)).burst(2);
    let taken = limit.try_acquire().unwrap();
    for _ in 0..9 {
        let rejected = under_a_rate(&limiter, &limit, &runs).await.unwrap_err();
        assert_eq!(rejected.kind(), RejectedKind::BulkheadFull, "the permit returns");
    }
    drop(taken);
    assert!(under_a_rate(&limiter, &limit, &runs).await.is_ok());
    assert!(under_a_rate(&limiter, &limit, &runs).await.is_ok());
    let rejected = under_a_rate(&limiter, &limit, &runs).await.unwrap_err();
    assert_eq!((rejected.kind(), runs.get()), (RejectedKind::RateLimited, 2));
}
