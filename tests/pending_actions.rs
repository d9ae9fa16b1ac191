//! Changes of the state of policies that appear later: alone in the process, because a forced state
//! of another test would keep each release.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use resilience::{
    Bulkhead, CircuitBreaker, CircuitState, PolicyKind, RateLimiter, control, pending_settings,
    register, testing,
};

const MINUTE: Duration = Duration::from_secs(60);

/// Held by each test: an action by name is for all policies of the process.
fn alone() -> MutexGuard<'static, ()> {
    static ACTIONS: Mutex<()> = Mutex::new(());
    ACTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the pending actions as `name: action`.
fn pending() -> Vec<String> {
    let pending = pending_settings().into_iter();
    pending.map(|pending| format!("{}: {}", pending.target, pending.change)).collect()
}

fn breaker(name: &'static str) -> &'static CircuitBreaker {
    let breaker: &'static _ = Box::leak(Box::new(CircuitBreaker::new().name(name)));
    register(breaker);
    breaker
}

/// Registers a rate limiter with one permit in 60 minutes.
fn limiter(name: &'static str) -> &'static RateLimiter {
    let limiter = RateLimiter::new(1, 60 * MINUTE).name(name);
    let limiter: &'static _ = Box::leak(Box::new(limiter));
    register(limiter);
    limiter
}

#[test]
fn an_action_waits_for_the_policies_of_its_name_and_kind() {
    static POOL: Bulkhead = Bulkhead::new(1).name("later::pool");
    let _alone = alone();
    let clock = testing::clock();
    let later = || control("later::*");
    later().kind(PolicyKind::CircuitBreaker).force_open_for(MINUTE).expect("pending");
    later().drain().expect("pending");
    // Neither another name nor another kind takes the actions.
    assert_eq!(breaker("apart::breaker").state(), CircuitState::Closed);
    assert_eq!(limiter("apart::limiter").available(), 1);
    register(&POOL);
    assert_eq!(pending(), ["later::*: force open for 60s", "later::*: drain"]);

    clock.advance(MINUTE / 3);
    let first = breaker("later::breaker");
    let rejected = first.try_acquire().expect_err("forced open");
    assert_eq!(rejected.retry_after(), Some(2 * MINUTE / 3));
    assert_eq!(pending(), ["later::*: drain"]);
    // Emptied once: the first limiter of the name.
    assert_eq!(limiter("later::first_limiter").available(), 0);
    assert_eq!(limiter("later::second_limiter").available(), 1);
    assert_eq!(pending(), [""; 0]);
    // A forced state is for each breaker until its end.
    assert_eq!(breaker("later::second_breaker").state(), CircuitState::ForcedOpen);
    clock.advance(2 * MINUTE / 3);
    assert_eq!(first.state(), CircuitState::Closed);
    assert_eq!(breaker("later::third_breaker").state(), CircuitState::Closed);
    later().kind(PolicyKind::CircuitBreaker).release().expect("breakers");
}

#[test]
fn an_action_waits_until_its_end() {
    let _alone = alone();
    let clock = testing::clock();
    control("late::breaker").force_open_for(MINUTE).expect("pending");
    clock.advance(Duration::from_secs(59));
    assert_eq!(pending(), ["late::breaker: force open for 1s"]);
    clock.advance(Duration::from_secs(1));
    assert_eq!(pending(), [""; 0]);
    control("late::breaker").release().expect("pending");
}

#[test]
fn an_action_replaces_an_action_of_its_kind_and_name() {
    let _alone = alone();
    let (first, second) = (|| control("replaced::first"), || control("replaced::second"));
    first().force_open().expect("pending");
    second().force_open().expect("pending");
    first().drain().expect("pending");
    first().force_closed().expect("pending");
    let expected =
        ["replaced::second: force open", "replaced::first: drain", "replaced::first: force closed"];
    assert_eq!(pending(), expected);
    // A release is for breakers, and keeps the change of the limiter.
    first().release().expect("pending");
    second().release().expect("pending");
    assert_eq!(pending(), ["replaced::first: drain"]);
    assert_eq!(limiter("replaced::first").available(), 0);
    assert_eq!(breaker("replaced::first").state(), CircuitState::Closed);
    assert_eq!(breaker("replaced::second").state(), CircuitState::Closed);
}

#[test]
fn releases_are_kept_beside_a_forced_state_of_another_pattern_only() {
    let _alone = alone();
    let states = |names: [&'static str; 3]| names.map(|name| breaker(name).state());
    control("kept::*").force_open().expect("pending");
    control("kept::a").release().expect("pending");
    control("kept::b").release().expect("pending");
    control("other::limiter").drain().expect("pending");
    let [closed, open] = [CircuitState::Closed, CircuitState::ForcedOpen];
    assert_eq!(states(["kept::a", "kept::b", "kept::c"]), [closed, closed, open]);
    control("other::breaker").release().expect("pending");
    assert_eq!(pending(), ["other::limiter: drain", "other::breaker: release"]);
    control("kept::*").release().expect("breakers");
    assert_eq!(pending(), ["other::limiter: drain"]);
    assert_eq!(states(["kept::a", "kept::c", "kept::d"]), [closed; 3]);
    assert_eq!(limiter("other::limiter").available(), 0);
}
