//! Which policies are listed, and with which names and places.

use std::sync::Arc;
use std::time::Duration;

use resilience::{
    Bulkhead, CircuitBreaker, CircuitState, PolicyKind, RateLimiter, Rejected, RetryPolicy,
    bulkhead, circuit_breaker, hedge, policies, policies_matching, rate_limit, register, testing,
};

use crate::policy;

/// Waits until the policy has left the list. A test on another thread may be reading the policy.
fn until_dropped(name: &str) {
    while !policies_matching(name).is_empty() {
        std::thread::yield_now();
    }
}

#[test]
fn a_breaker_is_listed_from_its_first_call_with_its_settings_and_state() {
    #[circuit_breaker(failure_threshold = 2, reset_timeout = "1m30s", name = "listing::charge")]
    fn charge(works: bool) -> Result<u32, Rejected> {
        if works {
            Ok(1)
        } else {
            Err(Rejected::new(resilience::RejectedKind::TimedOut, "x", None))
        }
    }
    charge(true).expect("a success");
    let report = policy("listing::charge");
    assert_eq!(report.kind, PolicyKind::CircuitBreaker);
    assert_eq!(report.setting("failure_threshold"), Some("2"));
    assert_eq!(report.setting("reset_timeout"), Some("1m30s"));
    assert_eq!(report.state, Some(CircuitState::Closed));
    assert!(report.location.file.ends_with("listing.rs"), "{}", report.location);
    let _ = (charge(false), charge(false));
    let report = policy("listing::charge");
    assert_eq!(report.state, Some(CircuitState::Open));
    assert_eq!(report.count("resilience.circuit_breaker.state", &["open"]), 1);
    assert_eq!(report.count("resilience.circuit_breaker.state", &["closed"]), 0);
    assert_eq!(
        report.count(
            "resilience.circuit_breaker.transitions",
            &["closed", "open", "transient_failure"]
        ),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn retries_list_the_growth_of_their_delays() {
    let grows = RetryPolicy::new().attempts(2).name("listing::grows");
    let fixed = RetryPolicy::new().attempts(2).fixed().name("listing::fixed");
    for policy in [grows, fixed] {
        assert!(policy.run_async(async || Err::<(), ()>(())).await.is_err());
    }
    let (grows, fixed) = (policy("listing::grows"), policy("listing::fixed"));
    assert_eq!(
        (grows.setting("backoff"), fixed.setting("backoff")),
        (Some("exponential"), Some("fixed"))
    );
    assert_eq!((grows.setting("factor"), fixed.setting("factor")), (Some("2"), None));
}

#[test]
fn two_methods_of_one_name_are_both_listed_with_their_lines() {
    struct A;
    struct B;
    impl A {
        #[circuit_breaker(failure_threshold = 1)]
        fn get() -> Option<u32> {
            None
        }
    }
    impl B {
        #[circuit_breaker(failure_threshold = 1)]
        fn get() -> Option<u32> {
            Some(1)
        }
    }
    let (_, _) = (A::get(), B::get());
    let mut found = policies_matching("registry::listing::get");
    found.retain(|policy| policy.kind == PolicyKind::CircuitBreaker);
    let [a, b] = &*found else { panic!("{found:?}") };
    assert_eq!((a.state, b.state), (Some(CircuitState::Open), Some(CircuitState::Closed)));
    assert!(a.location.line < b.location.line);
}

#[test]
fn policies_by_hand_are_listed_until_they_are_dropped() {
    let breaker = CircuitBreaker::new().failure_threshold(1).name("listing::hand_breaker");
    breaker.try_acquire().expect("closed").failure();
    assert_eq!(policy("listing::hand_breaker").state, Some(CircuitState::Open));
    let line = policy("listing::hand_breaker").location.line;
    assert!(line > 0 && line < line!());

    let bulkhead = Bulkhead::new(1).name("listing::hand_bulkhead");
    let _permit = bulkhead.try_acquire().expect("a permit");
    assert!(bulkhead.try_acquire().is_err());
    assert_eq!(policy("listing::hand_bulkhead").count("resilience.rejections", &[]), 1);

    let limiter = RateLimiter::new(1, Duration::from_secs(3600)).name("listing::hand_limiter");
    assert!(limiter.try_acquire().is_ok() && limiter.try_acquire().is_err());
    assert_eq!(policy("listing::hand_limiter").setting("per"), Some("1h"));

    let retry = RetryPolicy::new().attempts(2).name("listing::hand_retry");
    let _guard = testing::no_waits();
    let result: Result<(), &str> = retry.run(|| Err("down"));
    assert!(result.is_err());
    let report = policy("listing::hand_retry");
    assert_eq!(report.count("resilience.retry.stops", &["attempts"]), 1);

    drop((breaker, limiter));
    until_dropped("listing::hand_breaker");
    until_dropped("listing::hand_limiter");
}

#[test]
fn a_registered_policy_reports_its_current_values() {
    let shared = Arc::new(Bulkhead::new(3).name("listing::registered"));
    register(&shared);
    let permit = shared.try_acquire().expect("a permit");
    assert_eq!(policy("listing::registered").count("resilience.bulkhead.in_flight", &[]), 1);
    assert_eq!(policy("listing::registered").count("resilience.bulkhead.limit", &[]), 3);
    drop(permit);
    assert_eq!(policy("listing::registered").count("resilience.bulkhead.in_flight", &[]), 0);
    drop(shared);
    until_dropped("listing::registered");
}

#[test]
fn bulkheads_and_limits_of_functions_are_listed_at_their_first_call() {
    #[bulkhead(max = 7, name = "listing::render")]
    #[rate_limit(rate = 5, per = "1m", burst = 5, name = "listing::render_rate")]
    fn render() -> Result<(), Rejected> {
        let running = policy("listing::render");
        assert_eq!(running.count("resilience.bulkhead.in_flight", &[]), 1);
        Ok(())
    }
    let _ = policies();
    render().expect("a permit");
    assert_eq!(policy("listing::render").setting("max"), Some("7"));
    let limit = policy("listing::render_rate");
    assert_eq!(limit.setting("per"), Some("1m"));
    assert_eq!(limit.count("resilience.rate_limit.available", &[]), 4);
}

#[tokio::test(start_paused = true)]
async fn hedges_list_a_delay_or_a_quantile() {
    #[hedge(after = "50ms", max = 2, idempotent, name = "listing::after")]
    async fn after() -> Result<(), Rejected> {
        Ok(())
    }
    #[hedge(after = "p99.9", warm_up = "2s", idempotent, name = "listing::quantile")]
    async fn quantile() -> Result<(), Rejected> {
        Ok(())
    }
    let _ = policies();
    after().await.and(quantile().await).expect("a success");
    let settings = |name| {
        let settings = policy(name).settings.into_iter();
        settings.map(|setting| format!("{} = {}", setting.name, setting.value)).collect::<Vec<_>>()
    };
    assert_eq!(settings("listing::after"), ["max = 2", "after = 50ms"]);
    assert_eq!(settings("listing::quantile"), ["max = 1", "after = p99.9", "warm_up = 2s"]);
}
