//! The health of the process.

use std::time::Duration;

use resilience::{
    Bulkhead, CircuitBreaker, DegradedPolicy, Rejected, circuit_breaker, health, register,
    set_health_threshold, testing,
};

fn problem(name: &str) -> Option<DegradedPolicy> {
    health().degraded.into_iter().find(|policy| policy.name == name)
}

#[test]
fn an_open_circuit_is_degraded_until_it_closes() {
    let breaker = CircuitBreaker::new().failure_threshold(1).name("health::breaker");
    breaker.try_acquire().expect("closed").failure();
    let found = problem("health::breaker").expect("degraded");
    assert_eq!(found.reason, "circuit open");
    assert!(!health().is_healthy());
    breaker.force_close();
    assert_eq!(problem("health::breaker"), None);
    breaker.disable();
    assert_eq!(problem("health::breaker"), None);
}

#[test]
fn a_full_bulkhead_is_degraded_at_its_threshold() {
    static POOL: Bulkhead = Bulkhead::new(4).name("health::pool");
    register(&POOL);
    let permits: Vec<_> = (0..3).map(|_| POOL.try_acquire().expect("a permit")).collect();
    assert_eq!(problem("health::pool"), None);
    set_health_threshold("health::poo*", 0.75);
    assert_eq!(problem("health::pool").expect("degraded").reason, "3 of 4 permits in use");
    set_health_threshold("health::pool", f64::INFINITY);
    let last = POOL.try_acquire().expect("a permit");
    assert_eq!(problem("health::pool"), None);
    drop((permits, last));
}

#[test]
fn a_breaker_with_a_key_is_degraded_at_a_share_of_open_keys() {
    #[circuit_breaker(failure_threshold = 1, key = key, name = "health::keyed")]
    fn call(key: u32, works: bool) -> Result<(), Rejected> {
        if works { Ok(()) } else { Err(Rejected::timed_out("body", Duration::ZERO)) }
    }
    for key in 0..19 {
        call(key, true).expect("a success");
    }
    let _ = call(100, false);
    assert_eq!(problem("health::keyed"), None);
    let _ = call(101, false);
    let _ = call(102, false);
    let found = problem("health::keyed").expect("degraded");
    assert_eq!(found.reason, "circuits not closed: 3 of 22 keys");
}

#[test]
fn the_health_of_a_test_with_fresh_state_is_its_own() {
    #[circuit_breaker(failure_threshold = 1, name = "health::fresh")]
    fn call(works: bool) -> Option<u32> {
        works.then_some(1)
    }
    call(true);
    {
        let _state = testing::fresh_state();
        call(false);
        assert!(problem("health::fresh").is_some());
    }
    assert_eq!(problem("health::fresh"), None);
}
