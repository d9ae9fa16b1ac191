//! The states closed, open and half-open, and their durations.

use std::time::Duration;

use resilience::{CircuitBreaker, CircuitState, testing};

use crate::{Failure, SECOND, Seen, call, fail, is_open, succeed};

#[test]
fn opens_at_the_threshold_and_reports_the_open_time() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new();
    fail(&breaker, 4);
    assert_eq!(breaker.state(), CircuitState::Closed);
    fail(&breaker, 1);
    assert!(is_open(&breaker));
    clock.advance(10 * SECOND);
    assert_eq!(call(&breaker, Ok(())), Seen::Rejected(Some(20 * SECOND)));
}

#[test]
fn a_success_ends_the_run_of_failures() {
    let breaker = CircuitBreaker::new().failure_threshold(3);
    for _ in 0..10 {
        fail(&breaker, 2);
        succeed(&breaker, 1);
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_declined_error_is_an_answer_and_ends_a_run_of_failures() {
    let breaker = CircuitBreaker::new().failure_threshold(3);
    for _ in 0..100 {
        fail(&breaker, 2);
        assert_eq!(call(&breaker, Err(Failure::Wrong)), Seen::Failed);
        assert_eq!(breaker.snapshot().consecutive_failures, 0);
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn the_open_time_ends_inclusively_and_one_trial_call_decides() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_threshold(1).reset_timeout(SECOND);
    fail(&breaker, 1);
    clock.advance(Duration::from_nanos(999_999_999));
    assert_eq!(call(&breaker, Ok(())), Seen::Rejected(Some(Duration::from_nanos(1))));
    clock.advance(Duration::from_nanos(1));
    fail(&breaker, 1);
    assert!(is_open(&breaker), "the probe failed");
    assert_eq!(call(&breaker, Ok(())), Seen::Rejected(Some(SECOND)));
    clock.advance(SECOND);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn the_open_time_doubles_up_to_the_maximum_and_resets_after_a_stable_time() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new()
        .failure_threshold(1)
        .reset_timeout(10 * SECOND)
        .max_reset_timeout(35 * SECOND);
    fail(&breaker, 1);
    for open_for in [10, 20, 35, 35, 35] {
        assert_eq!(call(&breaker, Ok(())), Seen::Rejected(Some(open_for * SECOND)));
        clock.advance(open_for * SECOND);
        fail(&breaker, 1);
    }
    clock.advance(35 * SECOND);
    succeed(&breaker, 1);
    clock.advance(35 * SECOND);
    fail(&breaker, 1);
    assert_eq!(call(&breaker, Ok(())), Seen::Rejected(Some(10 * SECOND)));
    let huge = CircuitBreaker::new()
        .failure_threshold(1)
        .reset_timeout(Duration::MAX)
        .max_reset_timeout(Duration::MAX);
    fail(&huge, 1);
    assert!(is_open(&huge));
}

#[test]
fn half_open_decides_as_soon_as_the_result_is_certain() {
    let clock = testing::clock();
    let breaker = || {
        let breaker = CircuitBreaker::new()
            .failure_threshold(1)
            .reset_timeout(SECOND)
            .success_threshold(2)
            .half_open_calls(4);
        fail(&breaker, 1);
        clock.advance(SECOND);
        breaker
    };
    let closes = breaker();
    fail(&closes, 1);
    succeed(&closes, 1);
    fail(&closes, 1);
    assert_eq!(closes.state(), CircuitState::HalfOpen, "two of four may fail");
    succeed(&closes, 1);
    assert_eq!(closes.state(), CircuitState::Closed);
    let opens = breaker();
    fail(&opens, 2);
    assert_eq!(opens.state(), CircuitState::HalfOpen);
    fail(&opens, 1);
    assert!(is_open(&opens), "two successes are out of reach");
}

#[test]
fn trial_calls_are_limited() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new()
        .failure_threshold(1)
        .reset_timeout(SECOND)
        .success_threshold(2)
        .half_open_calls(3);
    fail(&breaker, 1);
    clock.advance(SECOND);
    let probes: Vec<_> = (0..3).map(|_| breaker.try_acquire().expect("a permit")).collect();
    assert_eq!(call(&breaker, Ok(())), Seen::Rejected(Some(SECOND)));
    let mut probes = probes.into_iter();
    probes.next().unwrap().failure();
    assert_eq!(
        call(&breaker, Ok(())),
        Seen::Rejected(Some(SECOND)),
        "a failed trial call does not return its permit"
    );
    probes.next().unwrap().ignore();
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    probes.next().unwrap().success();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn min_calls_does_not_apply_to_trial_calls() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_rate(0.5).min_calls(10).reset_timeout(SECOND);
    fail(&breaker, 10);
    clock.advance(SECOND);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::Closed);
    fail(&breaker, 9);
    assert_eq!(breaker.state(), CircuitState::Closed, "and counting starts anew");
}

#[test]
fn switched_off_admits_every_call_and_counts_nothing() {
    // The switch affects the whole process, so this test runs in a child process.
    if std::env::var_os("RESILIENCE_SWITCH").is_none() {
        let name = "states::switched_off_admits_every_call_and_counts_nothing";
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--quiet"])
            .env("RESILIENCE_SWITCH", "off")
            .stdout(std::process::Stdio::null())
            .status();
        assert!(status.unwrap().success());
        return;
    }
    let breaker = CircuitBreaker::new().failure_threshold(1);
    fail(&breaker, 1);
    resilience::set_enabled(false);
    succeed(&breaker, 1);
    fail(&breaker, 3);
    resilience::set_enabled(true);
    assert!(is_open(&breaker));
    assert!(matches!(call(&breaker, Ok(())), Seen::Rejected(Some(_))));
}

#[test]
fn every_state_is_read_as_written() {
    let states = [
        CircuitState::Closed,
        CircuitState::Open,
        CircuitState::HalfOpen,
        CircuitState::ForcedOpen,
        CircuitState::Disabled,
    ];
    for state in states {
        assert_eq!(state.to_string().parse(), Ok(state));
    }
    assert!("Open".parse::<CircuitState>().is_err());
}
