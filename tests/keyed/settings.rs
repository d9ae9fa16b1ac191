//! Labels of keys, and settings per key.
#![allow(
    clippy::items_after_statements,
    clippy::needless_pass_by_value,
    reason = "a function stands near its calls; an owned key"
)]

use std::time::Duration;

use resilience::{
    Bulkhead, CircuitBreaker, Keyed, RateLimiter, Rejected, bulkhead, circuit_breaker, rate_limit,
    testing,
};

use crate::down;

#[test]
fn rejections_carry_the_label_of_the_key() {
    #[circuit_breaker(failure_threshold = 1, key = host, key_label = host, name = "breaker")]
    fn fetch(host: &str) -> Result<(), Rejected> {
        Err(down())
    }
    #[rate_limit(rate = 1, key = (host, port), key_label = format_args!("{host}:{port}"), name = "limit")]
    fn limited(host: &str, port: u16) -> Result<(), Rejected> {
        Ok(())
    }
    #[bulkhead(max = 1, key = host, key_label = host, name = "bulkhead")]
    fn nested(host: String, depth: u32) -> Result<(), Rejected> {
        if depth == 0 { Ok(()) } else { nested(host.clone(), depth - 1) }
    }
    let (_clock, _state) = (testing::clock(), testing::fresh_state());
    assert!(fetch("eu-1").is_err() && fetch("eu-2").is_err());
    let rejected = fetch("eu-1").expect_err("open");
    assert_eq!((rejected.name(), rejected.key()), ("breaker", Some("eu-1")));
    assert_eq!(rejected.to_string(), "breaker (eu-1): circuit open; retry after 30s");
    assert!(limited("a", 80).is_ok() && limited("a", 81).is_ok());
    assert_eq!(limited("a", 80).expect_err("too early").key(), Some("a:80"));
    assert_eq!(nested("x".into(), 1).expect_err("full").key(), Some("x"));
    // Without `key_label` the key stays unknown.
    #[rate_limit(rate = 1, key = host)]
    fn unlabeled(host: &str) -> Result<(), Rejected> {
        Ok(())
    }
    assert!(unlabeled("secret").is_ok());
    assert_eq!(unlabeled("secret").expect_err("too early").key(), None);
}

#[test]
fn a_long_label_is_cut() {
    #[rate_limit(rate = 1, key = user, key_label = user)]
    fn call(user: &str) -> Result<(), Rejected> {
        Ok(())
    }
    let (_clock, _state) = (testing::clock(), testing::fresh_state());
    let user = "ü".repeat(1000);
    assert!(call(&user).is_ok());
    let rejected = call(&user).expect_err("too early");
    assert_eq!(rejected.key(), Some(&*"ü".repeat(32)));
}

#[derive(Clone, Copy)]
struct Tenant {
    id: u32,
    calls_per_minute: u32,
}

#[test]
fn each_key_may_have_its_own_settings() {
    #[rate_limit(
        rate = 1, per = "1m", key = tenant.id,
        settings = |limiter: RateLimiter| limiter.rate(tenant.calls_per_minute).burst(tenant.calls_per_minute)
    )]
    fn call(tenant: Tenant) -> Result<(), Rejected> {
        Ok(())
    }
    let (_clock, _state) = (testing::clock(), testing::fresh_state());
    for calls_per_minute in [1, 3, 7] {
        let tenant = Tenant { id: calls_per_minute, calls_per_minute };
        let admitted = (0..20).filter(|_| call(tenant).is_ok()).count();
        assert_eq!(admitted, calls_per_minute as usize);
    }
}

fn breaker_of(host: &str) -> CircuitBreaker {
    CircuitBreaker::new().failure_threshold(if host == "flaky" { 5 } else { 1 })
}

#[test]
fn settings_may_come_from_a_function_and_keep_the_name() {
    #[circuit_breaker(failure_threshold = 2, key = host, settings = |_| breaker_of(host), name = "hosts")]
    fn fetch(host: &str) -> Result<(), Rejected> {
        Err(down())
    }
    #[bulkhead(max = 1, key = depth, settings = wide)]
    fn nested(depth: u32) -> Result<(), Rejected> {
        if depth == 0 { Ok(()) } else { Err(down()) }
    }
    fn wide(bulkhead: Bulkhead) -> Bulkhead {
        bulkhead.max(3).wait(Duration::from_millis(1))
    }
    let (_clock, _state) = (testing::clock(), testing::fresh_state());
    let ran = |host| (0..9).filter(|_| fetch(host).expect_err("down").name() == "upstream").count();
    assert_eq!((ran("flaky"), ran("stable")), (5, 1));
    assert_eq!(fetch("stable").expect_err("open").name(), "hosts");
    assert!(nested(0).is_ok());
}

#[test]
fn names_may_be_made_at_run_time() {
    let _clock = testing::clock();
    let region = String::from("eu-1");
    let limiter = RateLimiter::new(1, Duration::from_secs(1)).named(format!("search-{region}"));
    assert!(limiter.try_acquire().is_ok());
    assert_eq!(limiter.try_acquire().expect_err("too early").name(), "search-eu-1");
    let bulkhead = Bulkhead::new(1).named(&region);
    let _permit = bulkhead.try_acquire();
    assert_eq!(bulkhead.try_acquire().expect_err("full").name(), "eu-1");
    let breaker = CircuitBreaker::new().failure_threshold(1).named(region);
    assert!(breaker.run(|| Err::<(), _>(down())).is_err());
    let rejected = breaker.run(|| Ok::<_, Rejected>(())).expect_err("open");
    assert_eq!(rejected.name(), "eu-1");
}

#[test]
fn a_label_from_a_request_cannot_start_a_line_of_the_log() {
    #[rate_limit(rate = 1, key = user, key_label = user, name = "hostile")]
    fn sign_in(user: &str) -> Result<(), Rejected> {
        Ok(())
    }
    let _clock = testing::clock();
    let label = |user: &str| {
        let _ = sign_in(user);
        let rejected = sign_in(user).expect_err("the permit is taken");
        assert!(!rejected.to_string().contains(char::is_control), "{rejected}");
        rejected.key().map(str::to_owned)
    };
    assert_eq!(label("ann\nERROR: \u{7f}").as_deref(), Some("ann\u{fffd}ERROR: \u{fffd}"));
    // At most 64 bytes, cut at a character.
    assert_eq!(label(&"é".repeat(1000)), Some("é".repeat(32)));
    assert_eq!(label(&format!("a{}", "é".repeat(1000))), Some(format!("a{}", "é".repeat(31))));
}

#[test]
fn an_error_of_display_ends_the_label() {
    struct Broken;
    impl core::fmt::Display for Broken {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("eu")?;
            Err(core::fmt::Error)
        }
    }
    let limiter = RateLimiter::new(1, Duration::from_secs(1)).key_label(Broken);
    limiter.try_acquire().expect("the first permit");
    assert_eq!(limiter.try_acquire().expect_err("the permit is taken").key(), Some("eu"));
}

#[test]
fn a_table_for_no_key_breaks_the_rule_of_the_attributes() {
    let table = |max_keys| Keyed::with(max_keys, || RateLimiter::new(1, Duration::from_secs(1)));
    assert_eq!(table(1).validate(), Ok(()));
    let error = table(0).validate().expect_err("a broken rule").to_string();
    assert_eq!(error, "`max_keys` must be at least 1");
}
