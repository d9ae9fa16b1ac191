//! The figures of each kind of policy.

use std::thread;
use std::time::Duration;

use resilience::{
    Bulkhead, CircuitBreaker, FailureClass, PolicyKind, RateLimiter, RetryBudget, RetryPolicy,
    StopReason, circuit_breaker, fallback, policies, policies_matching, register, retry, testing,
};

use crate::policy;

#[test]
fn a_breaker_counts_calls_by_outcome() {
    #[circuit_breaker(failure_threshold = 2, name = "counts::breaker")]
    fn call(works: bool) -> Option<u32> {
        works.then_some(1)
    }
    let _ = policies();
    for _ in 0..3 {
        call(true);
    }
    assert_eq!(policy("counts::breaker").count("resilience.calls", &["success"]), 3);
    for works in [false, true, false, false, true, true] {
        call(works);
    }
    let report = policy("counts::breaker");
    assert_eq!(report.count("resilience.calls", &["success"]), 4);
    assert_eq!(report.count("resilience.calls", &["failure"]), 3);
    assert_eq!(report.count("resilience.calls", &["rejected"]), 2);
    assert_eq!(report.count("resilience.rejections", &["circuit_open"]), 2);
}

#[test]
fn a_breaker_by_hand_counts_each_success_once() {
    let breaker = CircuitBreaker::new().failure_threshold(5).name("counts::by_hand");
    let _ = policies();
    for works in [true, true, false, true] {
        let guard = breaker.try_acquire().expect("closed");
        if works { guard.success() } else { guard.failure() }
    }
    drop(breaker.try_acquire());
    let report = policy("counts::by_hand");
    assert_eq!(report.count("resilience.calls", &["success"]), 3);
    assert_eq!(report.count("resilience.calls", &["failure"]), 1);
    assert_eq!(report.count("resilience.calls", &["cancelled"]), 1);
}

#[test]
fn calls_that_shadow_mode_admits_are_counted() {
    let breaker = CircuitBreaker::new().failure_threshold(1).shadow().name("counts::shadow");
    let bulkhead = Bulkhead::new(1).shadow().name("counts::shadow");
    let limiter = RateLimiter::new(1, Duration::from_secs(3600)).shadow().name("counts::shadow");
    breaker.try_acquire().expect("closed").failure();
    let permits = [bulkhead.try_acquire(), bulkhead.try_acquire(), bulkhead.try_acquire()];
    assert!(permits.iter().all(Result::is_ok));
    for _ in 0..4 {
        assert!(breaker.try_acquire().is_ok());
        assert!(limiter.try_acquire().is_ok());
    }
    let count = |kind| {
        let reports = policies_matching("counts::shadow");
        let report = reports.into_iter().find(|report| report.kind == kind).expect("listed");
        assert_eq!(report.count("resilience.calls", &["rejected"]), 0, "{kind}");
        report.count("resilience.shadow_rejections", &[])
    };
    assert_eq!(count(PolicyKind::CircuitBreaker), 4);
    assert_eq!(count(PolicyKind::Bulkhead), 2);
    assert_eq!(count(PolicyKind::RateLimit), 3);
}

#[test]
fn delays_of_a_server_are_counted_apart() {
    let (_clock, _) = (testing::clock(), policies());
    let retry = RetryPolicy::new().attempts(3).name("counts::server");
    let mut failures =
        [FailureClass::throttled(Some(Duration::from_secs(7))), FailureClass::transient()]
            .into_iter();
    let classified = retry.on(|class: &FailureClass| *class);
    assert_eq!(classified.run(|| failures.next().map_or(Ok(()), Err)), Ok(()));
    let report = policy("counts::server");
    assert_eq!(report.count("resilience.retry.retries", &["throttled", "server"]), 1);
    assert_eq!(report.count("resilience.retry.retries", &["transient", "backoff"]), 1);
    assert_eq!(report.count("resilience.retry.delay.time", &["server"]), 7_000_000_000);
}

#[test]
fn a_retry_reports_the_tokens_of_its_budget() {
    static BUDGET: RetryBudget = RetryBudget::new();
    #[retry(attempts = 3, backoff = "fixed", budget = &BUDGET, name = "counts::shared_budget")]
    fn shared() -> Option<()> {
        None
    }
    #[retry(attempts = 3, backoff = "fixed", budget, name = "counts::own_budget")]
    fn own() -> Option<()> {
        None
    }
    let _clock = testing::clock();
    assert_eq!((shared(), own(), own()), (None, None, None));
    let tokens = |name| policy(name).gauge("resilience.retry.budget.tokens");
    assert_eq!(tokens("counts::shared_budget"), Some(500 - 2 * 14));
    assert_eq!(tokens("counts::own_budget"), Some(500 - 4 * 14));
}

/// A permanent failure ends a call with and without an event, and the figures are equal.
#[test]
fn permanent_failures_count_with_and_without_a_hook() {
    #[retry(on = |error| *error > 0, backoff = "fixed", name = "counts::permanent")]
    fn plain(errors: &mut Vec<i32>) -> Result<(), i32> {
        errors.pop().map_or(Ok(()), Err)
    }
    #[retry(
        on = |error| *error > 0,
        backoff = "fixed",
        on_give_up = |event| assert_eq!(event.reason, StopReason::Permanent),
        name = "counts::permanent_hooked",
    )]
    fn hooked(errors: &mut Vec<i32>) -> Result<(), i32> {
        errors.pop().map_or(Ok(()), Err)
    }
    fn by_hand(errors: &mut Vec<i32>) -> Result<(), i32> {
        static RETRY: RetryPolicy = RetryPolicy::new().fixed().name("counts::permanent_by_hand");
        RETRY.on(|error: &i32| *error > 0).run(|| errors.pop().map_or(Ok(()), Err))
    }
    let _guard = testing::no_waits();
    for (call, name) in [
        (plain as fn(&mut Vec<i32>) -> Result<(), i32>, "counts::permanent"),
        (hooked, "counts::permanent_hooked"),
        (by_hand, "counts::permanent_by_hand"),
    ] {
        // At once, and after a retry.
        assert_eq!((call(&mut vec![-1]), call(&mut vec![-2, 1])), (Err(-1), Err(-2)), "{name}");
        let report = policy(name);
        assert_eq!(report.count("resilience.calls", &["failure"]), 2, "{name}");
        assert_eq!(report.count("resilience.retry.stops", &["permanent"]), 2, "{name}");
        assert_eq!(report.count("resilience.retry.attempts", &["original"]), 2, "{name}");
        assert_eq!(report.count("resilience.retry.attempts", &["retry"]), 1, "{name}");
    }
}

#[test]
fn counters_of_many_threads_add_up() {
    #[circuit_breaker(failure_threshold = 100_000, name = "counts::threads")]
    fn call(works: bool) -> Option<u32> {
        works.then_some(1)
    }
    let _ = policies();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for number in 0..1000 {
                    call(number % 10 > 0);
                }
            });
        }
    });
    let report = policy("counts::threads");
    assert_eq!(report.count("resilience.calls", &["success"]), 7200);
    assert_eq!(report.count("resilience.calls", &["failure"]), 800);
}

#[test]
fn counters_never_go_down_over_a_reset_and_each_change_has_its_reason() {
    let breaker = CircuitBreaker::new()
        .failure_threshold(1)
        .reset_timeout(Duration::from_secs(1))
        .name("counts::reset");
    let clock = testing::clock();
    for _ in 0..2 {
        breaker.try_acquire().expect("closed").failure();
        assert!(breaker.try_acquire().is_err());
        clock.advance(Duration::from_secs(1));
        breaker.try_acquire().expect("a trial call").failure();
        breaker.reset();
    }
    breaker.force_open();
    breaker.probe();
    breaker.try_acquire().expect("a trial call").success();
    let report = policy("counts::reset");
    assert_eq!(report.count("resilience.calls", &["rejected"]), 2);
    assert_eq!(report.count("resilience.calls", &["failure"]), 4);
    let changes = |labels: &[&str]| report.count("resilience.circuit_breaker.transitions", labels);
    assert_eq!(changes(&["closed", "open", "transient_failure"]), 2);
    assert_eq!(changes(&["open", "half_open", "open_time_over"]), 2);
    assert_eq!(changes(&["half_open", "open", "transient_failure"]), 2);
    assert_eq!(changes(&["open", "closed", "manual"]), 2);
    assert_eq!(changes(&["closed", "forced_open", "manual"]), 1);
    assert_eq!(changes(&["forced_open", "half_open", "manual"]), 1);
    assert_eq!(changes(&["half_open", "closed", "trial_calls"]), 1);
}

#[test]
fn failures_retries_and_fallbacks_are_counted_without_a_reader_and_without_a_feature() {
    #[fallback(value = 7, name = "counts::always_fallback")]
    #[retry(attempts = 2, backoff = "fixed", base_delay = "1s", name = "counts::always_retry")]
    fn load(works: bool) -> Result<u32, &'static str> {
        if works { Ok(1) } else { Err("down") }
    }
    let _clock = testing::clock();
    assert_eq!((load(false), load(true), load(false)), (Ok(7), Ok(1), Ok(7)));
    let retry = policy("counts::always_retry");
    assert_eq!(retry.count("resilience.calls", &["failure"]), 2);
    assert_eq!(retry.count("resilience.retry.attempts", &["retry"]), 2);
    assert_eq!(retry.count("resilience.retry.retries", &["transient"]), 2);
    assert_eq!(retry.setting("base_delay"), Some("1s"));
    assert_eq!(policy("counts::always_fallback").count("resilience.calls", &["fallback"]), 2);
}

/// A thread keeps its counters of 255 policies, and 16 threads have counters of their own.
#[test]
fn many_policies_and_threads_are_counted_exactly() {
    const POLICIES: usize = 300;
    const THREADS: u64 = 20;
    let _ = policies();
    let make = |number| -> &'static CircuitBreaker {
        let breaker = CircuitBreaker::new().named(format!("counts::many_{number}"));
        Box::leak(Box::new(breaker))
    };
    let breakers: Vec<_> = (0..POLICIES).map(make).collect();
    for breaker in &breakers {
        register(*breaker);
    }
    // The threads run at once, and then one after another: an ended thread leaves its counters.
    let call_all = || {
        for breaker in &breakers {
            for _ in 0..3 {
                breaker.try_acquire().expect("closed").success();
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(call_all);
        }
    });
    for _ in 0..THREADS {
        thread::scope(|scope| scope.spawn(call_all).join()).expect("no panic");
    }
    let reports = policies_matching("counts::many_*");
    assert_eq!(reports.len(), POLICIES);
    let calls = 2 * THREADS * 3;
    assert!(reports.iter().all(|report| report.count("resilience.calls", &["success"]) == calls));
}

#[test]
fn two_fallbacks_of_a_function_are_counted_apart() {
    #[fallback(value = 2, name = "counts::two_fallbacks")]
    #[fallback(value = 1, on = |error| *error == "inner", name = "counts::two_fallbacks")]
    fn call(error: &'static str) -> Result<u32, &'static str> {
        Err(error)
    }
    let calls = ["inner", "outer", "inner", "inner", "outer"].map(call);
    assert_eq!(calls, [Ok(1), Ok(2), Ok(1), Ok(1), Ok(2)]);
    let reports = policies_matching("counts::two_fallbacks");
    let reports = reports.iter().filter(|report| report.kind == PolicyKind::Fallback);
    let mut counts: Vec<_> =
        reports.map(|report| report.count("resilience.calls", &["fallback"])).collect();
    counts.sort_unstable();
    assert_eq!(counts, [2, 3]);
}

/// More policies than the records that a thread remembers.
#[test]
fn retries_of_one_place_are_counted_by_their_names() {
    const POLICIES: usize = 200;
    let make = |number| RetryPolicy::new().attempts(1).named(format!("counts::named_{number}"));
    let policies: Vec<_> = (0..POLICIES).map(make).collect();
    for _ in 0..2 {
        for (number, policy) in policies.iter().enumerate() {
            for _ in 0..=number % 3 {
                assert_eq!(policy.run(|| Err::<(), _>("down")), Err("down"));
            }
        }
    }
    for number in 0..POLICIES {
        let failures = policy(&format!("counts::named_{number}"));
        let expected = u64::try_from(2 * (number % 3 + 1)).expect("a small number");
        assert_eq!(failures.count("resilience.calls", &["failure"]), expected, "{number}");
    }
}
