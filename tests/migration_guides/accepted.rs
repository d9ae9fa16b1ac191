//! The tables without waits.

use resilience::{Rejected, bulkhead, circuit_breaker, fallback, rate_limit, retry, timeout};

macro_rules! accepted {
    ($(#[$($attribute:tt)*])*) => {
        [$({
            #[$($attribute)*]
            async fn call(value: u32) -> Result<u32, Rejected> {
                Ok(value)
            }
            call(5).await
        }),*]
    };
}

#[tokio::test(start_paused = true)]
async fn a_first_call_runs_under_every_attribute() {
    let outcomes = accepted! {
        // from-rust
        #[timeout("5s")]
        #[bulkhead(max = 10, wait = "unlimited")]
        #[bulkhead(max = 10)]
        #[rate_limit(rate = 100, burst = 100, wait = "unlimited")]
        #[retry(budget = 0.2)]
        #[circuit_breaker(failure_threshold = 3, reset_timeout = "30s", jitter = 0.0)]
        #[circuit_breaker(failure_threshold = 3, reset_timeout = "10s", max_reset_timeout = "5m")]
        #[circuit_breaker(failure_rate = 0.2, window = "30s", min_calls = 5)]
        #[circuit_breaker(failure_rate = 0.5, window = 100, min_calls = 100)]
        #[circuit_breaker(failure_rate = 0.5, window = "10s", min_calls = 20)]
        #[circuit_breaker(failure_threshold = 5, reset_timeout = "60s")]
        #[circuit_breaker(slow_call = "2s", slow_rate = 0.8)]
        #[circuit_breaker(success_threshold = 3, half_open_calls = 3)]
        #[bulkhead(max = 10, wait = "100ms")]
        #[rate_limit(rate = 100, burst = 100, wait = "50ms")]
        #[fallback(value = 7)]
        // from-resilience4j
        #[circuit_breaker(
            failure_rate = 0.5, window = 100, min_calls = 100, reset_timeout = "60s", success_threshold = 10
        )]
        #[circuit_breaker(
            failure_rate = 0.5, window = "10s", min_calls = 20, reset_timeout = "60s"
        )]
        #[circuit_breaker(slow_call = "2s", slow_rate = 0.8, window = 100, min_calls = 100)]
        #[circuit_breaker(reset_timeout = "10s", max_reset_timeout = "5m")]
        #[circuit_breaker(reset_timeout = "30s", jitter = 0.5)]
        #[bulkhead(max = 25)]
        #[bulkhead(max = 4, queue = 100)]
        #[rate_limit(rate = 100, burst = 100)]
        #[rate_limit(rate = 10, burst = 10, wait = "5s")]
        #[timeout("1s")]
        #[timeout("2s")]
        // from-polly
        #[circuit_breaker(
            failure_rate = 0.1, window = "30s", min_calls = 100, reset_timeout = "5s", jitter = 0.0
        )]
        #[circuit_breaker(failure_rate = 0.5, window = "10s", min_calls = 8, reset_timeout = "30s")]
        #[circuit_breaker(reset_timeout = "5s", max_reset_timeout = "5m")]
        #[circuit_breaker(failure_threshold = 5, reset_timeout = "30s")]
        #[timeout("30s")]
        #[bulkhead(max = 100, queue = 50)]
    };
    assert!(outcomes.iter().all(|outcome| *outcome == Ok(5)), "{outcomes:?}");
}
