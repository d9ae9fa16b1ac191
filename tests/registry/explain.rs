//! Explanations in words and as data.

use std::time::Duration;

use resilience::{
    Bulkhead, CircuitBreaker, Explanation, Jitter, Nested, PolicyKind, RateLimiter, Rejected,
    RetryPolicy, bulkhead, circuit_breaker, count_successes, explain, fallback, policies_matching,
    rate_limit, register, retry, testing, timeout,
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
         at worst: 4 calls in 15s; in 3m 14s with the longest delays of the server"
    );
}

/// The delays of Fibonacci begin with two equal delays, and grow then.
#[test]
fn delays_are_listed_as_long_as_they_grow() {
    #[retry(attempts = 7, backoff = "fibonacci", max_delay = "450ms", jitter = "none")]
    fn grows() -> Result<u32, Rejected> {
        Ok(1)
    }
    #[retry(attempts = 12, backoff = "linear", max_delay = "300ms", jitter = "none")]
    fn is_capped() -> Result<u32, Rejected> {
        Ok(1)
    }
    count_successes();
    grows().and_then(|_| is_capped()).expect("a success");
    let grows = only("grows");
    assert_eq!(grows.delays, millis(&[100, 100, 200, 300, 450, 450]));
    assert_eq!(grows.longest, None);
    assert_eq!(only("is_capped").delays[..4], millis(&[100, 200, 300, 300]));
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

#[test]
fn an_explanation_tells_the_state_and_shadow_mode() {
    let text = |breaker: &CircuitBreaker| breaker.explain().layers[0].text.clone();
    let breaker = CircuitBreaker::new();
    let opens = "opens after 5 failures in a row, for 30s";
    assert_eq!(text(&breaker), opens);
    breaker.trip();
    assert_eq!(text(&breaker), format!("{opens}; now open"));
    breaker.force_open();
    assert_eq!(text(&breaker), format!("{opens}; forced open, rejects each call"));
    breaker.disable();
    assert_eq!(text(&breaker), format!("{opens}; forced closed, admits each call"));
    let shadow = CircuitBreaker::new().shadow();
    assert_eq!(text(&shadow), format!("{opens}; only observes, in shadow mode"));
    let shadow = Bulkhead::new(1).shadow().explain();
    assert_eq!(
        shadow.layers[0].text,
        "only observes calls above 1 concurrent call, in shadow mode"
    );
    let shadow = RateLimiter::new(1, Duration::from_secs(1)).shadow().explain();
    let text = &shadow.layers[0].text;
    assert_eq!(text, "only observes calls above 1 call per 1s, bursts of 1, in shadow mode");
}

#[test]
fn the_first_delay_and_nested_retries_are_explained() {
    let retry = RetryPolicy::new().attempts(2).initial_delay(Duration::from_secs(3));
    let text = retry.nested(Nested::OuterOnly).explain().layers[0].text.clone();
    assert_eq!(
        text,
        "at most 2 attempts, the first after 3s, delays of at most 100ms, or of the server up to \
         60s; retries of functions inside make one attempt"
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_delay_belongs_to_the_longest_time() {
    #[retry(attempts = 2, backoff = "fixed", base_delay = "1s", initial_delay = "3s")]
    #[timeout("2s")]
    async fn late() -> Result<(), Rejected> {
        std::future::pending().await
    }
    count_successes();
    let start = tokio::time::Instant::now();
    assert!(late().await.is_err());
    let explanation = only("late");
    assert_eq!(explanation.longest, Some(start.elapsed()));
    assert_eq!(start.elapsed(), Duration::from_secs(3 + 2 + 1 + 2));
    let settings = policies_matching("*::late");
    assert!(settings.iter().any(|policy| policy.setting("initial_delay") == Some("3s")));
}

#[test]
fn a_wait_without_a_limit_is_told_as_such() {
    static LIMIT: RateLimiter =
        RateLimiter::new(2, Duration::from_secs(60)).wait(Duration::MAX).name("explain::limitless");
    let hour = Duration::from_secs(3600);
    register(&LIMIT);
    let settings = policies_matching("explain::limitless");
    assert_eq!(settings[0].setting("wait"), Some("unlimited"));
    let text = LIMIT.explain().layers[0].text.clone();
    assert_eq!(text, "waits above 2 calls per 60s, bursts of 1, without a limit");
    let limited = RateLimiter::new(2, hour).wait(hour).explain();
    assert_eq!(limited.layers[0].text, "waits up to 60m above 2 calls per 60m, bursts of 1");
}

#[test]
fn a_longest_time_is_never_rounded_down() {
    let mut explanation = RetryPolicy::new().explain();
    explanation.longest = Some(Duration::from_millis(18_300));
    explanation.longest_throttled = None;
    assert!(explanation.to_string().ends_with("at worst: 3 calls in 19s"), "{explanation}");
}

#[test]
fn the_longest_time_counts_delays_that_grow_for_long() {
    static LIST: [Duration; 150] = [Duration::from_millis(10); 150];
    #[retry(attempts = 200, backoff = "linear", base_delay = "50ms", name = "explain::linear")]
    #[timeout("1s", name = "explain::linear")]
    async fn linear() -> Result<(), Rejected> {
        Err(Rejected::timed_out("body", Duration::ZERO))
    }
    let millis = Duration::from_millis;
    let longest = |policy: RetryPolicy| policy.attempts(200).jitter(Jitter::None).explain();
    let _waits = testing::no_waits();
    assert!(futures::executor::block_on(linear()).is_err());
    let delays: Duration = (1..200).map(|retry| millis(50 * retry)).sum();
    assert_eq!(explain("explain::linear")[0].longest, Some(millis(200_000) + delays));
    // The delays of a list repeat the last.
    assert_eq!(longest(RetryPolicy::new().list(&LIST)).delays, [millis(10); 10]);
}

#[test]
fn the_policies_of_a_test_with_fresh_state_stand_in_the_order_of_the_attributes() {
    #[fallback(value = 0)]
    #[retry(attempts = 2)]
    #[circuit_breaker(failure_threshold = 3)]
    fn stack() -> Result<u32, Rejected> {
        Ok(1)
    }
    count_successes();
    let _state = testing::fresh_state();
    stack().expect("a success");
    let kinds: Vec<_> = only("stack").layers.iter().map(|layer| layer.kind).collect();
    assert_eq!(kinds, [PolicyKind::Fallback, PolicyKind::Retry, PolicyKind::CircuitBreaker]);
}

#[test]
fn percentages_have_no_rounding_errors() {
    for (rate, percent) in
        [(0.07, "7%"), (0.5, "50%"), (0.001, "0.1%"), (1.0, "100%"), (1.0 / 3.0, "33.3333%")]
    {
        let breaker = CircuitBreaker::new().failure_rate(rate).slow_call(Duration::from_secs(1));
        let text = breaker.explain().layers.remove(0).text;
        assert!(text.starts_with(&format!("opens after {percent} failures")), "{text}");
        assert!(text.contains(&format!(" or {percent} calls above 1s")), "{text}");
    }
}

#[test]
fn the_settings_of_a_breaker_list_the_share_of_open_keys() {
    #[circuit_breaker(key = host, max_open = 0.25)]
    fn share_of_open_keys(host: &str) -> Option<usize> {
        Some(host.len())
    }
    assert_eq!(share_of_open_keys("a"), Some(1));
    let report = policies_matching("registry::explain::share_of_open_keys").remove(0);
    let setting = report.settings.iter().find(|setting| setting.name == "max_open");
    assert_eq!(setting.map(|setting| setting.value.as_str()), Some("0.25"));
}
