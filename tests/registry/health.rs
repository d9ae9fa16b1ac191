//! The health of the process.

use std::future::Future as _;
use std::task::{Context, Waker};
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

#[test]
fn a_load_of_zero_is_healthy_at_every_threshold() {
    static API: CircuitBreaker = CircuitBreaker::new().name("health::zero");
    register(&API);
    set_health_threshold("health::zero", 0.0);
    assert_eq!(problem("health::zero"), None);
}

#[test]
fn a_threshold_keeps_those_of_other_names() {
    let degraded = ["health::first", "health::second"].map(|name| {
        let breaker = CircuitBreaker::new().name(name);
        breaker.force_open();
        set_health_threshold(name, f64::INFINITY);
        breaker
    });
    assert_eq!(problem("health::first").or(problem("health::second")), None);
    set_health_threshold("health::first", 1.0);
    assert!(problem("health::first").is_some() && problem("health::second").is_none());
    drop(degraded);
}

#[test]
fn the_calls_that_wait_for_a_permit_are_part_of_the_reason() {
    static POOL: Bulkhead = Bulkhead::new(1).queue(5).name("health::queue");
    register(&POOL);
    let mut cx = Context::from_waker(Waker::noop());
    let permit = POOL.try_acquire().expect("a permit");
    let reason = || problem("health::queue").expect("degraded").reason;
    assert_eq!(reason(), "1 of 1 permits in use");
    let (mut first, mut second) = (Box::pin(POOL.acquire()), Box::pin(POOL.acquire()));
    assert!(
        first.as_mut().poll(&mut cx).is_pending() && second.as_mut().poll(&mut cx).is_pending()
    );
    assert_eq!(reason(), "1 of 1 permits in use, 2 calls wait");
    drop((first, second, permit));
}
