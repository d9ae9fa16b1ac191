//! Rates over the last calls and over the last seconds, and slow calls.

use std::env;
use std::time::Duration;

use resilience::{CircuitBreaker, CircuitState, testing};

use crate::{SECOND, Seen, call, fail, is_open, succeed};

#[test]
fn a_full_ring_of_successes_trips_at_exactly_half() {
    let breaker = CircuitBreaker::new().failure_rate(0.5).count_window(100).min_calls(10);
    succeed(&breaker, 1000);
    fail(&breaker, 49);
    assert_eq!(breaker.state(), CircuitState::Closed);
    fail(&breaker, 1);
    assert!(is_open(&breaker));
}

#[test]
fn a_cold_ring_trips_at_its_minimum() {
    let breaker = CircuitBreaker::new().failure_rate(0.5).count_window(100).min_calls(10);
    fail(&breaker, 9);
    assert_eq!(breaker.state(), CircuitState::Closed);
    fail(&breaker, 1);
    assert!(is_open(&breaker));
}

#[test]
fn opens_within_one_window_after_a_million_successes() {
    let clock = testing::clock();
    for breaker in [
        CircuitBreaker::new().failure_rate(0.5).count_window(20),
        CircuitBreaker::new().failure_rate(0.5),
    ] {
        for call in 0..1_000_000 {
            succeed(&breaker, 1);
            if call % 1000 == 0 {
                clock.advance(SECOND / 10);
            }
        }
        clock.advance(10 * SECOND);
        let mut failures = 0;
        while breaker.state() == CircuitState::Closed {
            fail(&breaker, 1);
            failures += 1;
        }
        assert!(failures <= 20, "{failures}");
    }
}

#[test]
fn a_success_may_be_the_call_that_trips() {
    let breaker = CircuitBreaker::new().failure_rate(0.5).count_window(4).min_calls(4);
    succeed(&breaker, 1);
    fail(&breaker, 2);
    assert_eq!(breaker.state(), CircuitState::Closed);
    succeed(&breaker, 1);
    assert!(is_open(&breaker));
}

#[test]
fn rates_compare_as_written() {
    // Three of thirty are ten percent, although 0.1 * 30.0 is more than 3.
    for (rate, failures, calls) in [(0.1, 3, 30), (0.6, 3, 5), (0.7, 7, 10), (0.07, 7, 100)] {
        let breaker = CircuitBreaker::new().failure_rate(rate).count_window(100).min_calls(calls);
        succeed(&breaker, calls - failures);
        fail(&breaker, failures - 1);
        assert_eq!(breaker.state(), CircuitState::Closed, "{rate}");
        fail(&breaker, 1);
        assert!(is_open(&breaker), "{rate}");
    }
}

#[test]
fn a_threshold_with_a_window_counts_the_failures_in_the_window() {
    let breaker = CircuitBreaker::new().failure_threshold(3).count_window(5);
    for _ in 0..10 {
        fail(&breaker, 1);
        succeed(&breaker, 2);
    }
    assert_eq!(breaker.state(), CircuitState::Closed, "two of five");
    fail(&breaker, 2);
    assert!(is_open(&breaker), "three of five");
}

#[test]
fn a_time_window_drops_the_oldest_tenth() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_rate(1.0).min_calls(1000);
    for _ in 0..10 {
        fail(&breaker, 2);
        clock.advance(SECOND);
    }
    // The first second has just expired.
    assert_eq!(breaker.snapshot().calls, 18);
    clock.advance(SECOND);
    assert_eq!(breaker.snapshot().calls, 16);
    clock.advance(3600 * SECOND);
    assert_eq!(breaker.snapshot().calls, 0);
    fail(&breaker, 1);
    assert_eq!(breaker.snapshot().calls, 1);
}

#[test]
fn old_failures_do_not_count() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_rate(0.5).min_calls(5);
    fail(&breaker, 4);
    clock.advance(300 * SECOND);
    fail(&breaker, 2);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn slow_successes_open_the_breaker() {
    let clock = testing::clock();
    let breaker =
        CircuitBreaker::new().failure_rate(0.9).slow_call(2 * SECOND).slow_rate(0.5).min_calls(4);
    let takes = |time: Duration| {
        breaker.run(|| -> Result<(), crate::Failure> {
            clock.advance(time);
            Ok(())
        })
    };
    for time in [2, 1, 3] {
        assert!(takes(time * SECOND).is_ok());
    }
    assert_eq!(breaker.snapshot().slow_calls, 1, "exactly as long is not slow");
    assert!(takes(3 * SECOND).is_ok());
    assert!(is_open(&breaker), "two of four");
    // A slow trial call does not prove recovery.
    clock.advance(30 * SECOND);
    assert!(takes(3 * SECOND).is_ok());
    assert!(is_open(&breaker));
}

#[test]
fn with_slow_calls_in_a_window_failures_count_by_rate() {
    let breaker = CircuitBreaker::new().slow_call(SECOND).slow_rate(0.8).count_window(20);
    let _clock = testing::clock();
    succeed(&breaker, 5);
    fail(&breaker, 14);
    assert_eq!(breaker.state(), CircuitState::Closed, "fourteen, and not enough calls yet");
    fail(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::Closed, "three quarters");
    fail(&breaker, 1);
    assert!(is_open(&breaker), "sixteen of twenty");
}

#[test]
fn the_calls_before_an_opening_stay_in_view_until_the_first_trial_call() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_rate(0.5).min_calls(4).reset_timeout(60 * SECOND);
    succeed(&breaker, 1);
    fail(&breaker, 3);
    clock.advance(30 * SECOND);
    assert_eq!(call(&breaker, Ok(())), Seen::Rejected(Some(30 * SECOND)));
    let open = breaker.snapshot();
    assert_eq!((open.calls, open.failures, open.rejected), (4, 3, 1));
    assert_eq!(open.failure_rate, Some(0.75));
    clock.advance(30 * SECOND);
    let _probe = breaker.try_acquire().unwrap();
    let half_open = breaker.snapshot();
    assert_eq!((half_open.calls, half_open.failure_rate), (0, None));
    assert_eq!((half_open.rejected, half_open.rejected_in_state), (1, 0));
}

#[test]
fn failed_trial_calls_stay_in_view() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new()
        .failure_rate(0.5)
        .reset_timeout(SECOND)
        .success_threshold(2)
        .half_open_calls(3);
    fail(&breaker, 20);
    clock.advance(SECOND);
    succeed(&breaker, 1);
    fail(&breaker, 2);
    assert!(is_open(&breaker));
    let seen = breaker.snapshot();
    assert_eq!((seen.calls, seen.failures, seen.reopened), (3, 2, 1));
    assert!(seen.failure_rate.is_some_and(|rate| rate > 0.66));
    clock.advance(SECOND);
    succeed(&breaker, 2);
    assert_eq!(breaker.snapshot().calls, 0, "closed, with nothing counted");
}

#[test]
fn memory_is_constant_over_millions_of_calls() {
    let calls = if env::var_os("RESILIENCE_CI").is_some() { 10_000_000 } else { 1_000_000 };
    for breaker in [
        CircuitBreaker::new(),
        CircuitBreaker::new().failure_rate(0.5).count_window(100),
        CircuitBreaker::new().failure_rate(0.5),
    ] {
        let round = |calls: u32| {
            for number in 0..calls {
                match breaker.try_acquire() {
                    Ok(guard) if number % 3 == 0 => guard.failure(),
                    Ok(guard) => guard.success(),
                    Err(_) => unreachable!("a third is less than half"),
                }
            }
        };
        round(1000);
        let counted = allocation_counter::measure(|| round(calls));
        assert_eq!(counted.count_total, 0);
    }
}

#[test]
fn any_settings_are_accepted() {
    for count in [0, 1, 7, u32::MAX] {
        for rate in [f64::NAN, f64::INFINITY, -1.0, 0.0, 0.5, 7.0] {
            for time in [Duration::ZERO, Duration::from_nanos(1), SECOND, Duration::MAX] {
                let breaker = CircuitBreaker::new()
                    .failure_threshold(count)
                    .failure_rate(rate)
                    .min_calls(count)
                    .slow_call(time)
                    .slow_rate(rate)
                    .reset_timeout(time)
                    .max_reset_timeout(time)
                    .success_threshold(count)
                    .half_open_calls(count);
                let breaker = breaker.time_window(time).window_buckets(count);
                let _ = (call(&breaker, Err(crate::Failure::Down)), call(&breaker, Ok(())));
                assert!(breaker.snapshot().calls <= 2);
                let breaker = CircuitBreaker::new().failure_threshold(count).count_window(count);
                let _ = (call(&breaker, Err(crate::Failure::Down)), call(&breaker, Ok(())));
            }
        }
    }
}

#[test]
fn a_snapshot_has_the_outcomes_in_order() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_rate(1.0).slow_call(SECOND);
    let breaker = breaker.count_window(10).min_calls(10);
    for (slow, fails) in [(false, false), (true, false), (true, false), (true, true), (false, true)]
    {
        let guard = breaker.try_acquire().unwrap();
        clock.advance(if slow { 2 * SECOND } else { SECOND });
        if fails { guard.failure() } else { guard.success() }
    }
    let window = breaker.snapshot().window;
    let seen: Vec<_> = window.iter().map(|run| (run.calls, run.failures, run.slow_calls)).collect();
    assert_eq!(seen, [(1, 0, 0), (2, 0, 2), (1, 1, 1), (1, 1, 0)]);
}

#[test]
fn a_snapshot_of_a_time_window_has_each_call_once() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_rate(1.0).min_calls(1000);
    for _ in 0..200 {
        succeed(&breaker, 1);
        let seen = breaker.snapshot();
        assert_eq!(seen.window.iter().map(|bucket| bucket.calls).sum::<u32>(), seen.calls);
        assert!(seen.window.is_sorted_by(|older, newer| older.age > newer.age));
        clock.advance(SECOND / 3);
    }
}

#[test]
fn settings_made_at_run_time_are_checked() {
    let breaker = CircuitBreaker::new;
    for valid in [breaker(), breaker().slow_call(SECOND), breaker().min_calls(1)] {
        assert_eq!(valid.validate(), Ok(()));
    }
    for (breaker, words) in [
        (breaker().slow_call(Duration::ZERO), "`slow_call` is zero"),
        (breaker().failure_rate(0.5).min_calls(0), "`min_calls` must be at least 1"),
        (breaker().failure_rate(0.5).count_window(9).min_calls(10), "`min_calls` (10) is greater"),
    ] {
        let error = breaker.validate().expect_err(words).to_string();
        assert!(error.starts_with(words), "{error}");
    }
}
