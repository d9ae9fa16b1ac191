//! A timeout above a retry ends while no attempt runs: the time ran out in this process.

use std::time::Duration;

use resilience::{
    CircuitBreaker, Classify, Effect, Rejected, RejectedKind, circuit_breaker, rate_limit, retry,
    timeout,
};

type Answer = Result<u32, Rejected>;

fn failures(breaker: &CircuitBreaker) -> u32 {
    breaker.snapshot().consecutive_failures
}

/// The turn of the second call is after the timeout, so the limit rejects the call, and the retry
/// waits.
#[tokio::test(start_paused = true)]
async fn a_timeout_after_a_rejection_is_no_failure_of_the_dependency() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new();
    #[circuit_breaker(breaker = BREAKER, on = |_| true)]
    #[timeout("1s")]
    #[retry(attempts = 3, on_rejection = "wait")]
    #[rate_limit(rate = 1, per = "3s")]
    async fn call() -> Answer {
        Ok(7)
    }
    #[circuit_breaker(name = "caller of a waiting call")]
    async fn caller() -> Answer {
        call().await
    }
    assert_eq!(caller().await, Ok(7));
    let rejected = caller().await.unwrap_err();
    let class = rejected.classify();
    assert_eq!((rejected.kind(), class.effect), (RejectedKind::TimedOut, Effect::NotSent));
    assert_eq!(failures(&BREAKER), 0);
    assert_eq!(failures(circuit_breaker("caller of a waiting call").unwrap()), 0);
}

/// The wait ends with the next attempt, also for a layer without a queue.
#[tokio::test(start_paused = true)]
async fn a_timeout_of_the_attempt_after_a_rejection_is_a_failure() {
    static OUTER: CircuitBreaker = CircuitBreaker::new();
    static INNER: CircuitBreaker = CircuitBreaker::new().reset_timeout(Duration::from_secs(1));
    #[circuit_breaker(breaker = OUTER)]
    #[timeout("5s")]
    #[retry(attempts = 2, on_rejection = "wait")]
    #[circuit_breaker(breaker = INNER)]
    #[timeout("4500ms")]
    async fn plain() -> Answer {
        std::future::pending().await
    }
    #[circuit_breaker(breaker = OUTER)]
    #[timeout("5s")]
    #[retry(attempts = 2, on_rejection = "wait", on_retry = |_| {})]
    #[circuit_breaker(breaker = INNER)]
    #[timeout("4500ms")]
    async fn hooked() -> Answer {
        std::future::pending().await
    }
    INNER.trip();
    assert_eq!(plain().await.unwrap_err().classify().effect, Effect::Unknown);
    assert_eq!(failures(&OUTER), 1);
    INNER.trip();
    assert_eq!(hooked().await.unwrap_err().classify().effect, Effect::Unknown);
    assert_eq!(failures(&OUTER), 2);
}
