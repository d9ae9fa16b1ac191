//! Settings that change while policies run.

use core::cell::Cell;
use core::time::Duration;

use resilience::SettingOrigin::{Code, Live};
use resilience::{
    Bulkhead, CircuitBreaker, CircuitState, KeyCircuitBreaker, Keyed, Rejected, RejectedKind,
    RetryPolicy, bulkhead, circuit_breaker, coalesce, control, fallback, hedge, pending_settings,
    rate_limit, register, retry, testing, timeout,
};

use crate::{alone, reported, second};

#[test]
fn a_retry_follows_its_number_of_attempts_and_its_delays() {
    #[retry(attempts = 3, base_delay = "1s", jitter = "none", name = "live::retry")]
    fn call(calls: &Cell<u32>) -> Result<(), &'static str> {
        calls.set(calls.get() + 1);
        Err("down")
    }
    let _alone = alone();
    let clock = testing::clock();
    let calls = Cell::new(0);
    assert!(call(&calls).is_err());
    assert_eq!((calls.take(), clock.elapsed()), (3, 3 * second()));
    assert_eq!(reported("live::retry", "attempts"), Some(("3".into(), Code)));

    control("live::retry").set("retry.attempts", "2").unwrap();
    control("live::retry").set("retry.base_delay", "5s").unwrap();
    assert!(call(&calls).is_err());
    assert_eq!((calls.take(), clock.elapsed()), (2, 8 * second()));
    assert_eq!(reported("live::retry", "attempts"), Some(("2".into(), Live)));

    control("live::retry").disable().unwrap();
    assert!(call(&calls).is_err());
    assert_eq!(calls.take(), 1);
    control("live::retry").enable().unwrap();
    control("live::retry").unset("retry.attempts").unwrap();
    assert!(call(&calls).is_err());
    assert_eq!(calls.take(), 3);
}

#[test]
fn a_retry_by_hand_follows_without_registration() {
    let _alone = alone();
    let policy = RetryPolicy::new().attempts(3).jitter(resilience::Jitter::None).name("live::hand");
    let _waits = testing::no_waits();
    control("live::hand").set("retry.attempts", "5").unwrap();
    let calls = Cell::new(0);
    let result: Result<(), &str> = policy.run(|| {
        calls.set(calls.get() + 1);
        Err("down")
    });
    assert_eq!((result, calls.get()), (Err("down"), 5));
}

#[test]
fn a_deadline_changes_only_where_the_function_has_one() {
    #[retry(
        attempts = 9,
        backoff = "fixed",
        base_delay = "1s",
        deadline = "10s",
        name = "live::deadline"
    )]
    fn with(calls: &Cell<u32>) -> Result<(), &'static str> {
        calls.set(calls.get() + 1);
        Err("down")
    }
    #[retry(attempts = 2, name = "live::no_deadline")]
    fn without() -> Result<(), &'static str> {
        Err("down")
    }
    let _alone = alone();
    let _clock = testing::clock();
    let calls = Cell::new(0);
    control("live::deadline").set("retry.deadline", "2500ms").unwrap();
    assert!(with(&calls).is_err());
    assert_eq!(calls.get(), 3);

    assert!(without().is_err());
    let error = control("live::no_deadline").set("retry.deadline", "1s").unwrap_err().to_string();
    assert!(error.contains("`live::no_deadline` (retry)"), "{error}");
    assert!(error.contains("the function has no `deadline` in the code"), "{error}");
    assert_eq!(reported("live::no_deadline", "deadline"), None);
}

#[test]
fn settings_are_checked_together_with_those_of_the_code() {
    #[retry(base_delay = "1s", max_delay = "5s", name = "live::rules")]
    fn call() -> Result<(), &'static str> {
        Err("down")
    }
    let _alone = alone();
    let _waits = testing::no_waits();
    assert!(call().is_err());
    let error = control("live::rules").set("retry.base_delay", "6s").unwrap_err().to_string();
    let rule = "`base_delay` (6s) is longer than `max_delay` (5s), so no delay could grow";
    assert!(error.contains(rule), "{error}");
    assert_eq!(reported("live::rules", "base_delay"), Some(("1s".into(), Code)));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_follows_its_limit() {
    #[timeout("5s", name = "live::timeout")]
    async fn wait(seconds: u64) -> Result<(), Rejected> {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok(())
    }
    let _alone = alone();
    assert_eq!(wait(3).await, Ok(()));
    control("live::timeout").set("timeout.limit", "2s").unwrap();
    let error = wait(3).await.unwrap_err();
    assert_eq!(error.kind(), RejectedKind::TimedOut);
    assert!(error.to_string().contains("2s"), "{error}");
    control("live::timeout").disable().unwrap();
    assert_eq!((wait(3).await, wait(9).await), (Ok(()), Ok(())));
}

fn fail(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().failure();
}

fn succeed(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().success();
}

#[test]
fn a_breaker_half_through_its_window_keeps_the_window() {
    static API: CircuitBreaker =
        CircuitBreaker::new().failure_threshold(10).count_window(20).name("live::window");
    let _alone = alone();
    register(&API);
    for _ in 0..4 {
        fail(&API);
        succeed(&API);
    }
    control("live::window").set("circuit_breaker.failure_threshold", "5").unwrap();
    let before = API.snapshot();
    assert_eq!((before.calls, before.failures, before.state), (8, 4, CircuitState::Closed));
    fail(&API);
    assert_eq!(API.state(), CircuitState::Open);
    assert_eq!(API.snapshot().failures, 5);
}

#[test]
fn a_breaker_keeps_as_many_calls_as_another_window_holds() {
    static API: CircuitBreaker =
        CircuitBreaker::new().failure_rate(0.9).min_calls(50).count_window(100).name("live::span");
    let _alone = alone();
    register(&API);
    for _ in 0..20 {
        fail(&API);
    }
    for _ in 0..10 {
        succeed(&API);
    }
    control("live::span").set("circuit_breaker.min_calls", "15").unwrap();
    control("live::span").set("circuit_breaker.window", "15").unwrap();
    let snapshot = API.snapshot();
    assert_eq!((snapshot.calls, snapshot.failures), (15, 5));
    // Successes are recorded in the window in use.
    for _ in 0..12 {
        succeed(&API);
    }
    assert_eq!((API.snapshot().calls, API.snapshot().failures), (15, 0));
    control("live::span").set("circuit_breaker.window", "1000").unwrap();
    (0..40).for_each(|_| succeed(&API));
    assert_eq!(API.snapshot().calls, 55);
    control("live::span").set("circuit_breaker.window", "10s").unwrap();
    assert_eq!(API.snapshot().calls, 55);
}

#[test]
fn a_longer_window_has_no_expired_calls() {
    static API: CircuitBreaker = CircuitBreaker::new()
        .failure_rate(0.9)
        .min_calls(50)
        .time_window(Duration::from_secs(10))
        .name("live::longer_window");
    let _alone = alone();
    let clock = testing::clock();
    register(&API);
    fail(&API);
    clock.advance(20 * second());
    fail(&API);
    clock.advance(20 * second());
    control("live::longer_window").set("circuit_breaker.window", "60s").unwrap();
    assert_eq!(API.snapshot().calls, 0);
}

#[test]
fn an_annotated_breaker_follows_its_thresholds() {
    #[circuit_breaker(
        failure_threshold = 5,
        reset_timeout = "30s",
        jitter = 0.0,
        name = "live::breaker"
    )]
    fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let _alone = alone();
    let clock = testing::clock();
    assert!(call().is_ok());
    control("live::breaker").set("circuit_breaker.reset_timeout", "5s").unwrap();
    circuit_breaker("live::breaker").unwrap().trip();
    assert_eq!(call().unwrap_err().retry_after(), Some(Duration::from_secs(5)));
    clock.advance(Duration::from_secs(5));
    assert!(call().is_ok());
}

#[test]
fn a_shorter_limit_of_slow_calls_counts_running_calls() {
    static API: CircuitBreaker = CircuitBreaker::new()
        .failure_rate(0.5)
        .slow_call(Duration::from_secs(10))
        .min_calls(10)
        .name("live::slow");
    register(&API);
    let clock = testing::clock();
    let _running = API.try_acquire().unwrap();
    clock.advance(3 * second());
    assert_eq!(API.snapshot().slow_calls, 0);
    control("live::slow").set("circuit_breaker.slow_call", "2s").unwrap();
    assert_eq!(API.snapshot().slow_calls, 1);
}

#[test]
fn a_disabled_breaker_admits_calls_and_counts_none() {
    static API: CircuitBreaker = CircuitBreaker::new().failure_threshold(1).name("live::off");
    let _alone = alone();
    register(&API);
    fail(&API);
    assert!(API.try_acquire().is_err());
    control("live::off").disable().unwrap();
    (0..3).for_each(|_| fail(&API));
    control("live::off").enable().unwrap();
    assert!(API.try_acquire().is_err());
}

#[test]
fn shadow_mode_turns_on_and_off() {
    static API: CircuitBreaker = CircuitBreaker::new().failure_threshold(1).name("live::shadow");
    let _alone = alone();
    register(&API);
    control("live::shadow").shadow(true).unwrap();
    fail(&API);
    assert!(API.try_acquire().is_ok());
    control("live::shadow").shadow(false).unwrap();
    assert!(API.try_acquire().is_err());
}

#[test]
fn a_bulkhead_follows_its_limit_and_wakes_the_queue() {
    static POOL: Bulkhead = Bulkhead::new(1).queue(10).name("live::bulkhead");
    let _alone = alone();
    register(&POOL);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let first = POOL.try_acquire().unwrap();
        let mut second = Box::pin(POOL.acquire());
        assert!(futures::poll!(&mut second).is_pending());
        let mut third = Box::pin(POOL.acquire());
        assert!(futures::poll!(&mut third).is_pending());
        control("live::bulkhead").set("bulkhead.max", "2").unwrap();
        let permit = second.await.unwrap();
        assert!(futures::poll!(&mut third).is_pending());
        // A lowered limit: returned permits above the limit admit no call.
        control("live::bulkhead").set("bulkhead.max", "1").unwrap();
        drop(permit);
        assert!(futures::poll!(&mut third).is_pending());
        drop(first);
        drop(third.await.unwrap());
        assert_eq!((POOL.running(), POOL.queued()), (0, 0));
    });
}

#[test]
fn an_annotated_bulkhead_follows_its_limit() {
    #[bulkhead(max = 1, name = "live::pool")]
    fn outer(depth: u32) -> Result<u32, Rejected> {
        if depth == 0 { Ok(0) } else { outer(depth - 1) }
    }
    let _alone = alone();
    assert!(outer(1).is_err());
    control("live::pool").set("bulkhead.max", "2").unwrap();
    assert!(outer(1).is_ok());
    assert!(outer(2).is_err());
}

#[test]
fn every_key_follows_the_settings_of_the_table() {
    static LIMITS: Keyed<CircuitBreaker> =
        Keyed::new(100, || CircuitBreaker::new().failure_threshold(5).name("live::keyed"));
    let _alone = alone();
    let fail = |breaker: &KeyCircuitBreaker| breaker.try_acquire().unwrap().failure();
    register(&LIMITS);
    let known = LIMITS.get("ann");
    fail(&known);
    control("live::keyed").set("circuit_breaker.failure_threshold", "2").unwrap();
    fail(&known);
    assert_eq!(known.state(), CircuitState::Open);
    let new = LIMITS.get("bob");
    fail(&new);
    fail(&new);
    assert_eq!(new.state(), CircuitState::Open);
}

#[test]
fn a_function_that_never_rejects_cannot_start_to_reject() {
    #[bulkhead(max = 1, shadow, name = "live::never")]
    fn call() -> u32 {
        7
    }
    let _alone = alone();
    resilience::count_successes();
    assert_eq!(call(), 7);
    let error = control("live::never").shadow(false).unwrap_err().to_string();
    assert!(error.contains("the code never rejects a call"), "{error}");
}

#[test]
fn a_setting_for_a_later_function_is_pending_until_the_function_runs() {
    #[retry(attempts = 3, name = "live::later")]
    fn later(calls: &Cell<u32>) -> Result<(), &'static str> {
        calls.set(calls.get() + 1);
        Err("down")
    }
    let _alone = alone();
    let is_pending = || pending_settings().iter().any(|pending| pending.target == "live::later");
    let controlled = control("live::later").set("retry.attempts", "2").unwrap();
    assert!(controlled.is_pending() && is_pending());
    let _waits = testing::no_waits();
    let calls = Cell::new(0);
    assert!(later(&calls).is_err());
    assert_eq!(calls.get(), 2);
    assert!(!is_pending());
}

#[test]
fn two_functions_of_one_name_and_patterns_are_reached() {
    static FIRST: CircuitBreaker = CircuitBreaker::new().name("live::twin");
    static SECOND: CircuitBreaker = CircuitBreaker::new().name("live::twin");
    let _alone = alone();
    register(&FIRST);
    register(&SECOND);
    let controlled = control("live::tw*").set("circuit_breaker.failure_threshold", "1").unwrap();
    assert_eq!(controlled.reached, 2);
    fail(&FIRST);
    fail(&SECOND);
    assert_eq!((FIRST.state(), SECOND.state()), (CircuitState::Open, CircuitState::Open));
}

#[test]
fn a_retry_follows_its_growth_its_jitter_and_its_initial_delay() {
    #[retry(attempts = 3, jitter = "none", initial_delay = "1s", name = "live::growth")]
    fn call() -> Result<(), &'static str> {
        Err("down")
    }
    #[retry(backoff = ["1ms"], name = "live::list")]
    fn by_list() -> Result<(), &'static str> {
        Err("down")
    }
    #[retry(backoff = |_| Duration::from_millis(1), name = "live::code")]
    fn by_code() -> Result<(), &'static str> {
        Err("down")
    }
    let _alone = alone();
    let (clock, _draws) = (testing::clock(), testing::draws([0.5]));
    let set = |key, value| control("live::growth").set(key, value).unwrap();
    let waited = || {
        let start = clock.elapsed();
        assert!(call().is_err());
        clock.elapsed().saturating_sub(start).as_millis()
    };
    assert_eq!(waited(), 1000 + 100 + 200);
    set("retry.factor", "3");
    set("retry.initial_delay", "2s");
    assert_eq!(waited(), 2000 + 100 + 300);
    for (jitter, expected) in [
        ("full", 50 + 150),
        ("equal", 75 + 225),
        ("decorrelated", 200 + 350),
        ("0.5", 125 + 375),
        ("10ms", 105 + 305),
        ("none", 100 + 300),
    ] {
        set("retry.jitter", jitter);
        assert_eq!(waited(), 2000 + expected, "{jitter}");
    }
    assert!(by_list().is_err() && by_code().is_err());
    for (name, key, reason) in [
        ("live::list", "retry.base_delay", "the delays are a list in the code"),
        ("live::code", "retry.base_delay", "the backoff is code of the program"),
        ("live::list", "retry.initial_delay", "no `initial_delay` in the code"),
    ] {
        let error = control(name).set(key, "1s").unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hedge_follows_its_delay_and_its_number_and_can_be_switched_off() {
    #[hedge(after = "50ms", max = 2, idempotent, name = "live::hedge")]
    async fn call(starts: &Cell<u32>) -> Result<(), Rejected> {
        starts.set(starts.get() + 1);
        tokio::time::sleep(Duration::from_millis(220)).await;
        Ok(())
    }
    let _alone = alone();
    let starts = Cell::new(0);
    let run = async || {
        call(&starts).await.unwrap();
        starts.take()
    };
    assert_eq!(run().await, 3);
    control("live::hedge").set("hedge.max", "1").unwrap();
    assert_eq!(run().await, 2);
    control("live::hedge").set("hedge.after", "300ms").unwrap();
    assert_eq!(run().await, 1);
    control("live::hedge").unset("hedge.after").unwrap();
    control("live::hedge").disable().unwrap();
    assert_eq!(run().await, 1);
    control("live::hedge").enable().unwrap();
    control("live::hedge").unset("hedge.max").unwrap();
    assert_eq!(run().await, 3);

    let error = control("live::hedge").set("hedge.max", "3").unwrap_err().to_string();
    assert!(error.contains("room for the hedges of the code only"), "{error}");
    let error = control("live::hedge").set("hedge.warm_up", "1s").unwrap_err().to_string();
    assert!(error.contains("set `after`"), "{error}");
    let error = control("live::hedge").set("hedge.after", "0s").unwrap_err().to_string();
    assert!(error.contains("`after` is zero"), "{error}");
    assert_eq!(reported("live::hedge", "max"), Some(("2".into(), Code)));
}

#[tokio::test(start_paused = true)]
async fn a_learned_hedge_follows_its_warm_up() {
    #[hedge(after = "p95", warm_up = "1s", idempotent, name = "live::learned")]
    async fn call(starts: &Cell<u32>) -> Result<(), Rejected> {
        starts.set(starts.get() + 1);
        tokio::time::sleep(Duration::from_millis(220)).await;
        Ok(())
    }
    let _alone = alone();
    let starts = Cell::new(0);
    control("live::learned").set("hedge.warm_up", "100ms").unwrap();
    call(&starts).await.unwrap();
    assert_eq!(starts.take(), 2);
    let error = control("live::learned").set("hedge.after", "1s").unwrap_err().to_string();
    assert!(error.contains("set `warm_up`"), "{error}");
}

#[test]
fn a_last_good_value_follows_its_greatest_age() {
    #[fallback(stale = "10m", key = (), name = "live::stale")]
    fn price(answer: Result<u32, &'static str>) -> Result<u32, &'static str> {
        answer
    }
    #[fallback(value = 7, name = "live::replaced")]
    fn replaced() -> Result<u32, &'static str> {
        Err("down")
    }
    let _alone = alone();
    let clock = testing::clock();
    assert_eq!(price(Ok(1)), Ok(1));
    clock.advance(2 * second());
    assert_eq!(price(Err("down")), Ok(1));
    assert_eq!(reported("live::stale", "stale"), Some(("10m".into(), Code)));
    control("live::stale").set("fallback.stale", "1s").unwrap();
    assert_eq!(price(Err("down")), Err("down"));
    assert_eq!(reported("live::stale", "stale"), Some(("1s".into(), Live)));

    assert_eq!(replaced(), Ok(7));
    let error = control("live::replaced").set("fallback.stale", "1s").unwrap_err().to_string();
    assert!(error.contains("the function has no `stale` in the code"), "{error}");
}

#[tokio::test]
async fn a_coalescer_that_is_switched_off_shares_no_execution() {
    #[coalesce(key = (), name = "live::coalesce")]
    async fn call(runs: &Cell<u32>) -> Result<u32, Rejected> {
        runs.set(runs.get() + 1);
        tokio::task::yield_now().await;
        Ok(7)
    }
    let _alone = alone();
    let runs = Cell::new(0);
    let both = async || {
        let (one, two) = tokio::join!(call(&runs), call(&runs));
        assert_eq!((one, two), (Ok(7), Ok(7)));
        runs.take()
    };
    assert_eq!(both().await, 1);
    control("live::coalesce").disable().unwrap();
    assert_eq!(both().await, 2);
    control("live::coalesce").enable().unwrap();
    assert_eq!(both().await, 1);
}

#[test]
fn the_body_and_the_last_attempt_follow_a_live_number_of_attempts() {
    #[retry(attempts = 3, name = "live::bound", bind = attempt)]
    fn call(last: &Cell<u32>) -> Result<(), &'static str> {
        if attempt.is_last() {
            last.set(attempt.number());
        }
        Err("down")
    }
    let _alone = alone();
    let _waits = testing::no_waits();
    let last = Cell::new(0);
    control("live::bound").set("retry.attempts", "5").unwrap();
    assert!(call(&last).is_err());
    assert_eq!(last.take(), 5);
    control("live::bound").set("retry.attempts", "unlimited").unwrap();
    control("live::bound").set("retry.attempts", "2").unwrap();
    assert!(call(&last).is_err());
    assert_eq!(last.take(), 2);
}

#[test]
fn a_wait_for_a_permit_follows_a_live_longest_delay() {
    #[retry(on_rejection = "wait", max_retry_after = "60s", name = "live::patient")]
    #[rate_limit(rate = 1, per = "30s", name = "live::patient::limit")]
    fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let _alone = alone();
    let clock = testing::clock();
    let _state = testing::fresh_state();
    assert!(call().is_ok() && call().is_ok());
    assert_eq!(clock.elapsed(), 30 * second());
    control("live::patient").set("retry.max_retry_after", "10s").unwrap();
    assert!(call().is_err());
    assert_eq!(clock.elapsed(), 30 * second());
}

#[tokio::test(start_paused = true)]
async fn a_layer_repeats_up_to_a_live_number_of_attempts() {
    use core::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use http::{Request, Response};
    use resilience::http::RetryLayer;
    use tower::{Layer as _, ServiceExt as _, service_fn};

    let _alone = alone();
    control("live::layer").set("retry.attempts", "5").unwrap();
    let sent = Arc::new(AtomicU32::new(0));
    let layer = RetryLayer::new(RetryPolicy::new().attempts(2).name("live::layer"));
    let service = layer.layer(service_fn({
        let sent = Arc::clone(&sent);
        move |_: Request<()>| {
            sent.fetch_add(1, Relaxed);
            core::future::ready(Ok::<_, Infallible>(
                Response::builder().status(503).body(()).unwrap(),
            ))
        }
    }));
    let response = service.oneshot(Request::get("/").body(()).unwrap()).await.unwrap();
    assert_eq!((response.status().as_u16(), sent.load(Relaxed)), (503, 5));
}

/// The trial calls that ended before the change are enough for the new settings.
#[test]
fn a_half_open_breaker_decides_by_changed_settings() {
    static API: CircuitBreaker = CircuitBreaker::new()
        .failure_threshold(1)
        .reset_timeout(Duration::from_secs(1))
        .success_threshold(3)
        .name("live::trial_calls");
    let _alone = alone();
    let clock = testing::clock();
    let trials = |works: bool| {
        API.trip();
        clock.advance(second());
        assert!((0..2).all(|_| API.run(|| works.then_some(())).is_some() == works));
        assert_eq!(API.state(), CircuitState::HalfOpen);
    };
    trials(true);
    control("live::trial_calls").set("circuit_breaker.success_threshold", "2").unwrap();
    assert!(API.try_acquire().is_ok());
    assert_eq!(API.state(), CircuitState::Closed);

    control("live::trial_calls").set("circuit_breaker.half_open_calls", "5").unwrap();
    trials(false);
    control("live::trial_calls").set("circuit_breaker.half_open_calls", "2").unwrap();
    assert_eq!(API.try_acquire().unwrap_err().retry_after(), Some(second()));
    assert_eq!(API.state(), CircuitState::Open);
    clock.advance(second());
    assert!(API.try_acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_hedge_accepts_as_many_hedges_as_the_code_has() {
    #[hedge(after = "1s", max = 2, idempotent, name = "live::most")]
    async fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let _alone = alone();
    resilience::count_successes();
    call().await.unwrap();
    control("live::most").set("hedge.max", "2").unwrap();
    let error = control("live::most").set("hedge.max", "3").unwrap_err().to_string();
    assert!(error.contains("room for the hedges of the code only"), "{error}");
}
