//! The keys of policies with a state per key.

use resilience::{
    CircuitBreaker, CircuitState, KeyCircuitBreaker, Keyed, PolicyKind, Rejected, TOP_KEYS,
    bulkhead, circuit_breaker, policies, policy_key, rate_limit, register,
};

use crate::policy;

#[test]
fn the_busiest_and_the_rejecting_keys_are_listed_and_totals_survive_evictions() {
    #[rate_limit(
        rate = 1, per = "1h", burst = 2, key = user, key_label = user, max_keys = 100,
        name = "keys::limit"
    )]
    fn call(user: u32) -> Result<(), Rejected> {
        Ok(())
    }
    let _ = policies();
    for user in 0..50 {
        for _ in 0..=user {
            let _ = call(user);
        }
    }
    let report = policy("keys::limit");
    let keys = report.keys.as_ref().expect("keys");
    assert_eq!((keys.keys, keys.max_keys), (50, 100));
    assert_eq!(report.gauge("resilience.keys"), Some(50));
    assert_eq!(report.gauge("resilience.keys.limit"), Some(100));
    assert_eq!(report.gauge("resilience.rate_limit.queued"), Some(0));
    assert_eq!(report.gauge("resilience.bulkhead.in_flight"), None);
    assert_eq!(keys.busiest.len(), TOP_KEYS);
    assert_eq!((&*keys.busiest[0].key, keys.busiest[0].calls), ("49", 50));
    assert_eq!((&*keys.rejecting[0].key, keys.rejecting[0].rejected), ("49", 48));
    let calls: u64 = (1..=50).sum();
    assert_eq!(report.count("resilience.calls", &["admitted"]), 99);
    assert_eq!(report.count("resilience.calls", &["rejected"]), calls - 99);
    assert_eq!(report.setting("max_keys"), Some("100"));
    let key = policy_key("keys::limit", PolicyKind::RateLimit, "7").expect("a key");
    assert_eq!((key.calls, key.rejected), (8, 6));
    assert_eq!(policy_key("keys::limit", PolicyKind::RateLimit, "700"), None);
    assert_eq!(policy_key("keys::limit", PolicyKind::Bulkhead, "7"), None);
}

#[test]
fn a_full_table_counts_evictions_and_calls_of_the_shared_state() {
    #[circuit_breaker(failure_threshold = 1, key = user, max_keys = 2, name = "keys::full")]
    fn call(user: u32, works: bool) -> Option<u32> {
        works.then_some(1)
    }
    let _ = policies();
    for user in 0..5 {
        call(user, true);
    }
    let report = policy("keys::full");
    assert_eq!(report.count("resilience.keys.evictions", &[]), 3);
    assert_eq!(report.count("resilience.calls", &["success"]), 5);
    for user in [10, 11, 12, 13] {
        call(user, false);
    }
    let report = policy("keys::full");
    assert_eq!(report.count("resilience.keys.overflows", &[]), 2);
    assert_eq!(report.count("resilience.calls", &["failure"]), 3);
    assert_eq!(report.count("resilience.calls", &["rejected"]), 1);
    let keys = report.keys.as_ref().expect("keys");
    assert_eq!((keys.keys, keys.open), (2, 2));
    assert_eq!(report.state, None);
    // Without `key_label` the digits of a hash identify the key.
    let busiest = &keys.busiest[0];
    assert_eq!(busiest.key.len(), 16);
    assert_eq!(busiest.state, Some(CircuitState::Open));
    for known in &keys.busiest {
        let found = policy_key("keys::full", PolicyKind::CircuitBreaker, &known.key);
        assert_eq!(found.as_ref(), Some(known));
    }
    assert_eq!(policy_key("keys::full", PolicyKind::CircuitBreaker, "unknown"), None);
    assert_eq!(report.gauge("resilience.bulkhead.in_flight"), None);
    assert_eq!(report.gauge("resilience.rate_limit.queued"), None);
}

#[test]
fn a_bulkhead_with_a_key_reports_the_calls_of_all_keys() {
    #[bulkhead(max = 2, key = tenant, name = "keys::bulkhead")]
    fn call(tenant: u32) -> Result<u64, Rejected> {
        if tenant > 0 {
            return call(tenant - 1);
        }
        Ok(policy("keys::bulkhead").gauge("resilience.bulkhead.in_flight").unwrap_or(0))
    }
    let _ = policies();
    assert_eq!(call(4), Ok(5));
    assert_eq!(policy("keys::bulkhead").gauge("resilience.bulkhead.in_flight"), Some(0));
    let report = policy("keys::bulkhead");
    assert_eq!(report.count("resilience.calls", &["admitted"]), 5);
    assert_eq!(report.gauge("resilience.rate_limit.queued"), None);
    let keys = report.keys.expect("keys");
    assert_eq!((keys.busiest.len(), keys.rejecting.len()), (5, 0));
}

#[test]
fn a_table_by_hand_is_listed_with_totals_and_with_its_keys_once_registered() {
    static BREAKERS: Keyed<CircuitBreaker> =
        Keyed::new(10, || CircuitBreaker::new().failure_threshold(1).name("keys::table"));
    for host in ["a", "b"] {
        BREAKERS.get(host).try_acquire().expect("closed").failure();
    }
    let report = policy("keys::table");
    assert_eq!((report.state, &report.keys), (None, &None));
    assert_eq!(report.count("resilience.calls", &["failure"]), 2);
    register(&BREAKERS);
    assert_eq!(policy("keys::table").keys.map(|keys| (keys.keys, keys.open)), Some((2, 2)));
}

#[test]
fn a_key_of_a_bulkhead_has_its_rejections_and_no_state() {
    #[bulkhead(max = 1, key = tenant, key_label = tenant, name = "keys::rejecting")]
    fn call(tenant: u32, depth: u32) -> Result<u32, Rejected> {
        if depth == 0 { Ok(0) } else { call(tenant, depth - 1) }
    }
    let _ = policies();
    assert!(call(1, 0).is_ok() && call(2, 1).is_err() && call(2, 1).is_err());
    let key = |tenant| policy_key("keys::rejecting", PolicyKind::Bulkhead, tenant).expect("a key");
    assert_eq!((key("1").rejected, key("2").rejected), (0, 2));
    assert_eq!(key("2").state, None);
    let keys = policy("keys::rejecting").keys.expect("keys");
    assert_eq!((keys.rejecting.len(), &*keys.rejecting[0].key, keys.open), (1, "2", 0));
}

/// A breaker of a key is reported where the breaker was made.
#[test]
fn breakers_of_keys_have_the_places_that_made_them() {
    fn line(breaker: &KeyCircuitBreaker) -> u32 {
        breaker.explain().layers[0].location.line
    }
    let table = Keyed::new(10, CircuitBreaker::new);
    let first = line(&table.get("a"));
    let other = line(&table.get_with("b", |_| CircuitBreaker::new()));
    assert_eq!(line(&table.get("c")), first);
    assert_ne!(other, first);
    let table = Keyed::new(10, CircuitBreaker::new);
    let [one, two] = [
        line(&table.get_with("a", |_| CircuitBreaker::new())),
        line(&table.get_with("b", |_| CircuitBreaker::new())),
    ];
    assert_eq!(one + 1, two);
}
