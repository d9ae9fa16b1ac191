//! A table of policies that several functions, calls by hand and layers share.

use std::sync::Arc;
use std::time::Duration;

use resilience::http::CircuitBreakerLayer;
use resilience::{
    Bulkhead, CircuitBreaker, CircuitState, Guarded, KeyCircuitBreaker, Keyed, RateLimiter,
    Rejected, RejectedKind, bulkhead, circuit_breaker, rate_limit, testing,
};

use crate::{down, ms};

#[test]
fn functions_and_calls_by_hand_share_the_breaker_of_a_host() {
    static HOSTS: Keyed<CircuitBreaker> =
        Keyed::new(100, || CircuitBreaker::new().failure_threshold(2).name("hosts"));
    fn of(host: &str) -> Arc<KeyCircuitBreaker> {
        HOSTS.get_with(host, |breaker| breaker.key_label(host))
    }
    #[circuit_breaker(breaker = of(host))]
    fn get(host: &str) -> Result<u32, Rejected> {
        Err(down())
    }
    #[circuit_breaker(breaker = of(&host))]
    async fn charge(host: String) -> Result<String, Guarded<std::fmt::Error>> {
        Ok(host)
    }
    assert!(HOSTS.is_empty());
    assert!(get("a").is_err());
    assert!(of("a").run(|| Err::<u32, _>(down())).is_err());
    assert_eq!(of("a").state(), CircuitState::Open);
    let rejected = get("a").expect_err("the circuit is open");
    assert_eq!((rejected.name(), rejected.key()), ("hosts", Some("a")));
    let charge = |host: &str| futures::executor::block_on(charge(host.into()));
    assert!(matches!(charge("a"), Err(Guarded::Rejected(rejected)) if rejected.key() == Some("a")));
    assert_eq!(charge("b"), Ok("b".into()));
    // A client of one host has a layer with the breaker of the host.
    let _layer = CircuitBreakerLayer::shared(of("a"));
    assert_eq!((HOSTS.len(), HOSTS.is_empty()), (2, false));
}

#[test]
fn settings_known_at_run_time_make_the_policy_of_a_key() {
    struct Plan {
        name: &'static str,
        rate: u32,
    }
    struct Api {
        limits: Keyed<RateLimiter>,
        workers: Keyed<Bulkhead>,
    }
    impl Api {
        #[rate_limit(limiter = self.limits.get_with(&(plan.name, key), |limiter| {
            limiter.rate(plan.rate).burst(plan.rate)
        }))]
        fn call(&self, plan: &Plan, key: u32) -> Result<u32, Rejected> {
            Ok(key)
        }

        #[bulkhead(bulkhead = self.workers.get(&key))]
        async fn work(&mut self, key: u32) -> Result<u32, Rejected> {
            Ok(key)
        }
    }
    let (per, max) = (Duration::from_secs(60), 3);
    let mut api = Api {
        limits: Keyed::with(10, move || RateLimiter::new(1, per).name("plans")),
        workers: Keyed::with(10, move || Bulkhead::new(max)),
    };
    let (free, paid) = (Plan { name: "free", rate: 1 }, Plan { name: "paid", rate: 50 });
    let clock = testing::clock();
    assert!((0..50).all(|_| api.call(&paid, 1).is_ok()));
    assert!(api.call(&free, 1).is_ok() && api.call(&free, 2).is_ok());
    assert_eq!(api.call(&free, 1).map_err(|rejected| rejected.name()), Err("plans"));
    clock.advance(ms(60_000));
    assert!(api.call(&free, 1).is_ok());
    let permits: Vec<_> =
        (0..3).map(|_| api.workers.get(&7).try_acquire_owned().expect("a permit")).collect();
    let mut work = |key| futures::executor::block_on(api.work(key));
    assert_eq!(work(7).map_err(|rejected| rejected.kind()), Err(RejectedKind::BulkheadFull));
    assert_eq!(work(8), Ok(8));
    drop(permits);
    assert_eq!(work(7), Ok(7));
}

#[test]
fn a_full_table_made_by_hand_limits_new_keys_together() {
    let limits = Keyed::with(2, || RateLimiter::new(1, Duration::from_secs(3600)).name("full"));
    let _clock = testing::clock();
    for key in 0..2 {
        assert!(limits.get(&key).try_acquire().is_ok());
    }
    let admitted = (2..1000).filter(|key| limits.get(key).try_acquire().is_ok()).count();
    assert_eq!(admitted, 1);
    assert_eq!(limits.figures().overflow_calls, 998);
    assert_eq!(limits.figures().name, "full");
}

/// Runs a function when dropped.
struct OnDrop(fn());

impl Drop for OnDrop {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// The key appears while the settings of the key are adjusted.
#[test]
fn a_hook_of_an_unused_policy_may_use_the_table_on_drop() {
    static HOSTS: Keyed<CircuitBreaker> = Keyed::new(9, CircuitBreaker::new);
    let captured = OnDrop(|| drop(HOSTS.get("a")));
    let breaker = HOSTS.get_with("a", |breaker| {
        let _first = HOSTS.get("a");
        breaker.on_state_change_with(move |_| {
            let _ = &captured;
        })
    });
    assert!(Arc::ptr_eq(&breaker, &HOSTS.get("a")));
    assert_eq!(HOSTS.len(), 1);
}
