//! Explanations in words and as data.

use std::time::Duration;

use resilience::{
    Explanation, PolicyKind, Rejected, bulkhead, circuit_breaker, count_successes, explain,
    fallback, rate_limit, retry, timeout,
};

fn millis(millis: &[u64]) -> Vec<Duration> {
    millis.iter().copied().map(Duration::from_millis).collect()
}

/// Returns the explanation of the only function of this name in this module.
fn only(name: &str) -> Explanation {
    let mut found = explain(&format!("registry::explain::{name}"));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[tokio::test(start_paused = true)]
async fn the_bounds_of_a_stack_are_told_in_words_and_as_data() {
    #[fallback(value = 0)]
    #[retry(attempts = 4, backoff = "exponential", base_delay = "200ms", max_delay = "500ms")]
    #[circuit_breaker(failure_rate = 0.5, window = 100, reset_timeout = "10s")]
    #[rate_limit(rate = 100, per = "1s", wait = "300ms")]
    #[bulkhead(max = 5, wait = "1s")]
    #[timeout("2s")]
    async fn charge() -> Result<u32, Rejected> {
        Ok(1)
    }
    count_successes();
    charge().await.expect("a success");
    let explanation = only("charge");
    let kinds: Vec<_> = explanation.layers.iter().map(|layer| layer.kind).collect();
    assert_eq!(
        kinds,
        [
            PolicyKind::Fallback,
            PolicyKind::Retry,
            PolicyKind::CircuitBreaker,
            PolicyKind::RateLimit,
            PolicyKind::Bulkhead,
            PolicyKind::Timeout
        ]
    );
    assert_eq!(explanation.max_calls, Some(4));
    assert_eq!(explanation.delays, millis(&[200, 400, 500]));
    // Four attempts of 2 s after waits of 1.3 s, and the delays.
    assert_eq!(explanation.longest, Some(Duration::from_millis(4 * 3300 + 1100)));
    assert_eq!(explanation.longest_throttled, Some(Duration::from_millis(4 * 3300 + 180_000)));
    assert_eq!(
        explanation.to_string(),
        "registry::explain::charge\n  \
         fallback: replaces a failure by another value\n  \
         retry: at most 4 attempts, delays of at most 200ms, 400ms, 500ms, or of the server up to 60s\n  \
         circuit_breaker: opens after 50% failures of the last 100 calls (at least 20 calls), for 10s\n  \
         rate_limit: waits up to 300ms above 100 calls per 1s, bursts of 1\n  \
         bulkhead: waits up to 1s above 5 concurrent calls\n  \
         timeout: drops the call after 2s\n  \
         at worst: 4 calls in 14s; in 3m 13s with the longest delays of the server"
    );
}

#[tokio::test(start_paused = true)]
async fn a_timeout_or_a_deadline_around_a_retry_bounds_the_time() {
    #[timeout("5s")]
    #[retry(attempts = 3)]
    async fn outer() -> Result<u32, Rejected> {
        Ok(1)
    }
    #[retry(attempts = 100, deadline = "30s")]
    #[timeout("2s")]
    async fn inner() -> Result<u32, Rejected> {
        Ok(1)
    }
    count_successes();
    outer().await.expect("a success");
    inner().await.expect("a success");
    assert_eq!(only("outer").longest, Some(Duration::from_secs(5)));
    assert_eq!(only("outer").longest_throttled, Some(Duration::from_secs(5)));
    assert_eq!(only("inner").longest, Some(Duration::from_secs(30)));
    assert_eq!(only("inner").max_calls, Some(100));
}

#[test]
fn without_a_timeout_the_time_has_no_bound() {
    #[retry(attempts = "unlimited", backoff = ["1s", "5s"])]
    fn forever() -> Result<u32, Rejected> {
        Ok(1)
    }
    #[retry(attempts = 3, backoff = |_| Duration::from_secs(1))]
    fn custom() -> Result<u32, Rejected> {
        Ok(1)
    }
    count_successes();
    forever().expect("a success");
    custom().expect("a success");
    let explanation = only("forever");
    assert_eq!((explanation.max_calls, explanation.longest), (None, None));
    assert!(
        explanation.to_string().ends_with("at worst: any number of calls, without a limit of time")
    );
    assert!(explanation.layers[0].text.contains("1s, 5s, 5s"), "{explanation}");
    assert_eq!(only("custom").max_calls, Some(3));
    assert!(explain("registry::explain::unknown").is_empty());
}

#[test]
fn two_functions_of_one_name_have_an_explanation_each() {
    struct A;
    struct B;
    impl A {
        #[retry(attempts = 2)]
        #[circuit_breaker(failure_threshold = 1)]
        fn get() -> Option<u32> {
            Some(1)
        }
    }
    impl B {
        #[retry(attempts = 7)]
        #[circuit_breaker(failure_threshold = 3)]
        fn get() -> Option<u32> {
            Some(2)
        }
    }
    count_successes();
    assert_eq!((A::get(), B::get()), (Some(1), Some(2)));
    let found = explain("registry::explain::get");
    let calls: Vec<_> = found.iter().map(|function| function.max_calls).collect();
    assert_eq!(calls, [Some(2), Some(7)]);
    assert_eq!(found[1].layers[1].text, "opens after 3 failures in a row, for 30s");
}
