//! Control of states by name.

use core::cell::Cell;
use core::time::Duration;

use resilience::{
    Action, CircuitBreaker, CircuitState, Keyed, PolicyKind, RateLimiter, Rejected, RejectedKind,
    StopReason, bulkhead, circuit_breaker, control, pending_settings, rate_limit, register, retry,
    settings_history, testing,
};
use tokio::time::{Instant, sleep};

use crate::{alone, second};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_breaker_is_forced_open_for_a_time() {
    #[circuit_breaker(name = "control::open")]
    fn call() -> Result<u32, Rejected> {
        Ok(7)
    }
    let _alone = alone();
    let clock = testing::clock();
    assert_eq!(call(), Ok(7));
    let controlled = control("control::open").by("ann").force_open_for(MINUTE).unwrap();
    assert_eq!(controlled.reached, 1);
    let rejected = call().unwrap_err();
    assert_eq!(
        (rejected.kind(), rejected.retry_after()),
        (RejectedKind::CircuitOpen, Some(MINUTE))
    );
    clock.advance(MINUTE);
    assert_eq!(call(), Ok(7));
    let breaker = circuit_breaker("control::open").unwrap();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_breaker_is_forced_closed_for_a_time() {
    static API: CircuitBreaker = CircuitBreaker::new().failure_threshold(1).name("control::closed");
    let _alone = alone();
    let clock = testing::clock();
    register(&API);
    control("control::closed").force_closed_for(MINUTE).unwrap();
    for _ in 0..3 {
        API.try_acquire().unwrap().failure();
    }
    clock.advance(MINUTE);
    API.try_acquire().unwrap().failure();
    assert!(API.try_acquire().is_err());
    control("control::closed").release().unwrap();
    assert!(API.try_acquire().is_ok());
}

/// Of a breaker and of the breaker of a key.
#[test]
fn a_release_ends_the_recovery_of_a_closed_breaker() {
    const fn recovering() -> CircuitBreaker {
        CircuitBreaker::new()
            .failure_threshold(1)
            .reset_timeout(MINUTE)
            .recovery(MINUTE)
            .name("control::recovering")
    }
    static API: CircuitBreaker = recovering();
    static HOSTS: Keyed<CircuitBreaker> = Keyed::new(10, recovering);
    let _alone = alone();
    let clock = testing::clock();
    register(&API);
    register(&HOSTS);
    let host = HOSTS.get("a");
    API.trip();
    host.trip();
    clock.advance(MINUTE);
    assert!(API.run(|| Some(())).is_some() && host.run(|| Some(())).is_some());
    clock.advance(MINUTE / 2);
    assert!(API.try_acquire().is_err() && host.try_acquire().is_err());
    control("control::recovering").release().unwrap();
    assert!((0..100).all(|_| API.try_acquire().is_ok() && host.try_acquire().is_ok()));
}

#[test]
fn a_control_before_the_first_call_waits_for_the_function() {
    #[circuit_breaker(name = "control::early")]
    fn early() -> Result<u32, Rejected> {
        Ok(7)
    }
    let _alone = alone();
    let pending = || {
        let pending = pending_settings();
        pending.into_iter().find(|pending| pending.target == "control::ear*")
    };
    let controlled = control("control::ear*").force_open().unwrap();
    assert!(controlled.is_pending());
    assert_eq!(pending().unwrap().change, "force open");
    assert!(early().is_err());
    assert!(pending().is_none());
    control("control::ear*").release().unwrap();
    assert_eq!(early(), Ok(7));
}

#[test]
fn an_expired_control_does_not_reach_a_later_policy() {
    static LATE: CircuitBreaker = CircuitBreaker::new().name("control::expired");
    let _alone = alone();
    let clock = testing::clock();
    control("control::expired").force_open_for(MINUTE).unwrap();
    clock.advance(2 * MINUTE);
    register(&LATE);
    assert!(LATE.try_acquire().is_ok());
}

#[test]
fn a_rate_limiter_is_drained_and_reset() {
    #[rate_limit(rate = 10, per = "10s", burst = 10, name = "control::drain")]
    fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let _alone = alone();
    let clock = testing::clock();
    // Pending: drained at the first call.
    assert!(control("control::drain").drain().unwrap().is_pending());
    assert_eq!(call().unwrap_err().retry_after(), Some(Duration::from_secs(1)));
    clock.advance(Duration::from_secs(1));
    assert!(call().is_ok() && call().is_err());
    control("control::drain").reset().unwrap();
    assert!((0..10).all(|_| call().is_ok()) && call().is_err());
    control("control::drain").drain().unwrap();
    clock.advance(Duration::from_secs(2));
    assert!(call().is_ok() && call().is_ok() && call().is_err());
}

#[test]
fn a_key_is_controlled_alone_and_new_keys_follow_the_table() {
    static HOSTS: Keyed<CircuitBreaker> =
        Keyed::new(10, || CircuitBreaker::new().name("control::keys"));
    let _alone = alone();
    register(&HOSTS);
    let host = |name: &str| HOSTS.get_with(name, |breaker| breaker.key_label(name));
    let (first, second) = (host("a"), host("b"));
    let controlled = control("control::keys").key("a").force_open().unwrap();
    assert_eq!(controlled.reached, 1);
    assert_eq!((first.state(), second.state()), (CircuitState::ForcedOpen, CircuitState::Closed));
    control("control::keys").force_open().unwrap();
    assert_eq!(second.state(), CircuitState::ForcedOpen);
    assert_eq!(host("c").state(), CircuitState::ForcedOpen);
    control("control::keys").release().unwrap();
    assert_eq!(second.state(), CircuitState::Closed);
    assert_eq!(host("d").state(), CircuitState::Closed);
    // A control of a key that is not there yet.
    control("control::keys").key("e").force_open().unwrap();
    assert_eq!(host("e").state(), CircuitState::ForcedOpen);
}

#[test]
fn a_release_of_a_name_wins_over_an_earlier_pattern_for_later_keys() {
    static HOSTS: Keyed<CircuitBreaker> =
        Keyed::new(10, || CircuitBreaker::new().name("control::part::keys"));
    let _alone = alone();
    register(&HOSTS);
    control("control::part::*").force_open().unwrap();
    control("control::part::keys").release().unwrap();
    assert_eq!(HOSTS.get("new").state(), CircuitState::Closed);
    control("control::part::*").release().unwrap();
}

#[test]
fn actions_that_suit_no_policy_of_the_name_are_errors() {
    static API: CircuitBreaker = CircuitBreaker::new().name("control::wrong");
    static LIMIT: RateLimiter = RateLimiter::new(1, MINUTE).name("control::limit");
    let _alone = alone();
    register(&API);
    register(&LIMIT);
    let message = |result: Result<_, resilience::SettingsError>| result.unwrap_err().to_string();
    assert_eq!(
        message(control("control::wrong").drain()),
        "`drain` is for rate limiters, and `control::wrong` names none"
    );
    let error = message(control("control::limit").force_open());
    assert_eq!(error, "`force open` is for circuit breakers, and `control::limit` names none");
    let error = message(control("*").kind(PolicyKind::Retry).force_open());
    assert_eq!(error, "`force open` is for circuit breakers, not for `retry`");
    let error = message(control("control::wrong").force_open_for(Duration::ZERO));
    assert!(error.contains("is zero"), "{error}");
    let error = message(control("control::wrong").act(Action::Reset, Some(MINUTE)));
    assert_eq!(error, "`reset` takes no time");
    assert!(message(control("").force_open()).contains("is empty"));
    assert!(message(control(&"x".repeat(1000)).reset()).contains("longer than 512 bytes"));
    assert_eq!(API.state(), CircuitState::Closed);
}

#[test]
fn a_policy_by_hand_without_registration_is_named_in_the_error() {
    let _alone = alone();
    let hand = CircuitBreaker::new().failure_threshold(1).name("control::unregistered");
    hand.try_acquire().unwrap().failure();
    let error = control("control::unregistered").force_closed().unwrap_err().to_string();
    assert!(error.contains("`control::unregistered` cannot be reached: pass"), "{error}");
}

#[test]
fn a_hook_may_control_the_breaker_that_calls_the_hook() {
    static API: CircuitBreaker = CircuitBreaker::new()
        .failure_threshold(1)
        .on_state_change(|change| {
            if change.to == CircuitState::Open {
                control("control::hook").by("hook").release().unwrap();
                control("control::hook").set("circuit_breaker.failure_threshold", "3").unwrap();
            }
        })
        .name("control::hook");
    let _alone = alone();
    register(&API);
    API.try_acquire().unwrap().failure();
    assert_eq!(API.state(), CircuitState::Closed);
    API.try_acquire().unwrap().failure();
    assert_eq!(API.state(), CircuitState::Closed);
}

#[test]
fn the_last_hundred_changes_have_an_author_and_a_time() {
    static API: CircuitBreaker = CircuitBreaker::new().name("control::history");
    let _alone = alone();
    register(&API);
    for _ in 0..120 {
        control("control::history").by("ann\n").force_open_for(MINUTE).unwrap();
    }
    control("control::history").by("bob").release().unwrap();
    let history = settings_history();
    assert_eq!(history.len(), 100);
    let last = history.iter().rev().find(|change| change.target == "control::history").unwrap();
    assert_eq!((last.by.as_str(), last.change.as_str(), last.reached), ("bob", "release", 1));
    assert!(last.at.elapsed().is_ok_and(|age| age < 10 * MINUTE));
    let before = history.iter().find(|change| change.target == "control::history").unwrap();
    assert_eq!((before.by.as_str(), before.change.as_str()), ("ann\\n", "force open for 60s"));
}

#[test]
fn a_flag_of_all_kinds_is_pending_only_without_a_policy_of_the_name() {
    #[bulkhead(max = 1, name = "control::flags")]
    fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let _alone = alone();
    let is_pending = |name: &str| pending_settings().iter().any(|pending| pending.target == name);
    let _ = resilience::policies();
    call().expect("a permit");
    let disabled = control("control::flags").disable().expect("a bulkhead");
    assert_eq!(disabled.reached, 1);
    control("control::flags").shadow(true).expect("a bulkhead");
    assert!(!is_pending("control::flags"), "{:?}", pending_settings());
    control("control::misspelled").disable().expect("a pending change");
    assert!(is_pending("control::misspelled"));
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_disabled_during_a_delay_makes_the_planned_attempt_and_no_more() {
    #[retry(
        attempts = 5, backoff = "fixed", base_delay = "10s", name = "control::delayed",
        on_give_up = |event| reason.set(Some(event.reason))
    )]
    async fn call(attempts: &Cell<u32>, reason: &Cell<Option<StopReason>>) -> Result<(), ()> {
        attempts.set(attempts.get() + 1);
        Err(())
    }
    let _alone = alone();
    let (attempts, reason, start) = (Cell::new(0), Cell::new(None), Instant::now());
    let operator = async {
        sleep(Duration::from_secs(15)).await;
        control("control::delayed").by("ann").disable().unwrap();
    };
    let (out, ()) = tokio::join!(call(&attempts, &reason), operator);
    assert_eq!((out, attempts.get(), reason.get()), (Err(()), 3, Some(StopReason::Disabled)));
    assert_eq!(start.elapsed(), Duration::from_secs(20));
}

#[test]
fn a_state_that_cannot_be_reached_changes_nothing() {
    static API: CircuitBreaker = CircuitBreaker::new().name("control::unregistered");
    let _alone = alone();
    API.trip();
    API.reset();
    let error = control("control::unregistered").force_open().unwrap_err();
    assert!(error.to_string().contains("pass the policy to `register`"), "{error}");
    assert!(settings_history().iter().all(|change| change.target != "control::unregistered"));
    register(&API);
    assert_eq!(API.state(), CircuitState::Closed);
    assert_eq!(control("control::unregistered").force_open().unwrap().reached, 1);
}

#[test]
fn forced_states_that_have_ended_leave_room_for_others() {
    let _alone = alone();
    let clock = testing::clock();
    let force = |name: String| control(&name).force_open_for(second());
    let error = (0..20_000).find_map(|host| force(format!("control::host_{host}")).err());
    let error = error.unwrap().to_string();
    assert!(error.contains("end some by `release`"), "{error}");
    clock.advance(second());
    control("control::after_hosts").force_open().unwrap();
    let pending = pending_settings();
    let forced: Vec<_> = pending.iter().filter(|it| it.change.starts_with("force")).collect();
    assert_eq!(forced.len(), 1, "{forced:?}");
    control("control::after_hosts").release().unwrap();
}

#[test]
fn a_change_reaches_the_policies_of_its_name_and_kind_only() {
    static API: CircuitBreaker = CircuitBreaker::new().name("control::of_kind");
    static OTHER: CircuitBreaker = CircuitBreaker::new().name("control::of_another_name");
    static LIMIT: RateLimiter = RateLimiter::new(1, MINUTE).name("control::of_kind");
    let _alone = alone();
    let _clock = testing::clock();
    register(&API);
    register(&OTHER);
    register(&LIMIT);
    let forced = control("control::of_kind").force_open().unwrap();
    assert_eq!((forced.reached, forced.is_pending()), (1, false));
    assert_eq!((API.state(), OTHER.state()), (CircuitState::ForcedOpen, CircuitState::Closed));
    LIMIT.try_acquire().unwrap();
    let of_kind = |kind| control("control::of_kind").kind(kind);
    assert_eq!(of_kind(PolicyKind::RateLimit).reset().unwrap().reached, 1);
    assert_eq!((API.state(), LIMIT.available()), (CircuitState::ForcedOpen, 1));
    LIMIT.try_acquire().unwrap();
    assert_eq!(of_kind(PolicyKind::CircuitBreaker).reset().unwrap().reached, 1);
    assert_eq!((API.state(), LIMIT.available()), (CircuitState::Closed, 0));
    control("control::of_kind").release().unwrap();
    let error = of_kind(PolicyKind::Retry).set("timeout.limit", "1s").unwrap_err().to_string();
    assert_eq!(error, "`timeout` is not of the kind `retry`");
    of_kind(PolicyKind::RateLimit).set("rate_limit.burst", "5").unwrap();
    assert_eq!(LIMIT.available(), 4);
    control("control::of_kind").unset("rate_limit.burst").unwrap();
}

#[test]
fn unset_removes_the_value_of_one_name_and_one_key() {
    let _alone = alone();
    let live = || {
        let pending = pending_settings().into_iter();
        let pending = pending.filter(|pending| pending.target.starts_with("control::unset"));
        pending.map(|pending| pending.target + " " + &pending.change).collect::<Vec<_>>()
    };
    control("control::unset").set("retry.attempts", 5).unwrap();
    control("control::unset").set("retry.factor", 3).unwrap();
    control("control::unset_other").set("retry.attempts", 7).unwrap();
    control("control::unset").unset("retry.attempts").unwrap();
    assert_eq!(live(), ["control::unset factor = 3", "control::unset_other attempts = 7"]);
    let error = control("control::unset").unset("retry.attempts").unwrap_err().to_string();
    assert_eq!(error, "`retry.attempts` has no live value for `control::unset`");
    control("control::unset").unset("retry.factor").unwrap();
    control("control::unset_other").unset("retry.attempts").unwrap();
    assert!(live().is_empty());
}

#[test]
fn settings_are_not_for_one_key_and_names_have_at_most_512_bytes() {
    let _alone = alone();
    let error = control("control::keyless").key("a").set("retry.attempts", 5).unwrap_err();
    assert_eq!(error.to_string(), "settings have no keys; remove `key`");
    assert!(control("control::keyless").key("a").disable().is_err());
    let name = "x".repeat(512);
    control(&name).set("retry.attempts", 5).unwrap();
    control(&name).unset("retry.attempts").unwrap();
    assert!(control(&(name + "x")).set("retry.attempts", 5).is_err());
}
