//! The open time: jitter, the delay that a server asks for, and growth.

use std::time::Duration;

use resilience::{CircuitBreaker, FailureClass, testing};

use crate::{SECOND, Seen, call, fail, succeed};

fn open_for(breaker: &CircuitBreaker) -> Duration {
    breaker.snapshot().open_for.expect("open")
}

fn opened(breaker: CircuitBreaker) -> Duration {
    let breaker = breaker.failure_threshold(1);
    fail(&breaker, 1);
    open_for(&breaker)
}

#[test]
fn the_open_time_is_up_to_a_tenth_longer() {
    for (draw, expected, wider) in [(0.0, 30_000, 1000), (0.5, 31_500, 1250), (1.0, 33_000, 1500)] {
        let (_clock, _draws) = (testing::clock(), testing::draws([draw]));
        let millis = opened(CircuitBreaker::new()).as_micros().div_ceil(1000);
        assert_eq!(millis, expected, "{draw}");
        let wide = opened(CircuitBreaker::new().reset_timeout(SECOND).jitter(0.5));
        assert_eq!(wide.as_micros().div_ceil(1000), wider);
        assert_eq!(opened(CircuitBreaker::new().jitter(0.0)), 30 * SECOND);
        assert_eq!(opened(CircuitBreaker::new().jitter(f64::NAN)), 30 * SECOND);
    }
}

#[test]
fn jitter_respects_the_maximum() {
    let (_clock, _draws) = (testing::clock(), testing::draws([1.0]));
    let breaker = CircuitBreaker::new().reset_timeout(30 * SECOND);
    assert_eq!(opened(breaker.max_reset_timeout(31 * SECOND)), 31 * SECOND);
}

/// Breakers with the same opening time send trial calls apart.
#[test]
fn a_hundred_breakers_spread_their_trial_calls() {
    let (_clock, _seed) = (testing::clock(), testing::seed(7));
    let mut ends: Vec<Duration> = (0..100).map(|_| opened(CircuitBreaker::new())).collect();
    ends.sort();
    let near = |end: &Duration| {
        ends.iter().filter(|other| **other >= *end && **other < *end + SECOND / 10).count()
    };
    let crowd = ends.iter().map(near).max().unwrap();
    assert!(crowd <= 12, "{crowd} of 100 trial calls in 100 ms");
    assert!(ends[0] >= 30 * SECOND && ends[99] < 33 * SECOND);
}

#[test]
fn under_a_virtual_clock_the_open_time_is_exact() {
    let _clock = testing::clock();
    for _ in 0..10 {
        assert_eq!(opened(CircuitBreaker::new()), 30 * SECOND);
    }
}

#[test]
fn the_delay_from_the_server_is_the_open_time_within_limits() {
    let _clock = testing::clock();
    let opened = |breaker: CircuitBreaker, asked: u32| {
        let breaker = breaker.failure_threshold(1).reset_timeout(30 * SECOND);
        let class = FailureClass::throttled(Some(asked * SECOND));
        breaker.try_acquire().unwrap().report(class, &"503");
        open_for(&breaker).as_secs()
    };
    let max = |secs| CircuitBreaker::new().max_reset_timeout(secs * SECOND);
    assert_eq!(opened(CircuitBreaker::new(), 120), 120);
    assert_eq!(opened(CircuitBreaker::new(), 5), 30, "at least `reset_timeout`");
    assert_eq!(opened(CircuitBreaker::new(), 86_400), 600, "without a maximum");
    assert_eq!(opened(max(300), 120), 120);
    assert_eq!(opened(max(60), 120), 60, "at most `max_reset_timeout`");
}

#[test]
fn the_delay_from_the_server_counts_for_a_failed_trial_call() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_threshold(1).reset_timeout(30 * SECOND);
    fail(&breaker, 1);
    clock.advance(30 * SECOND);
    let class = FailureClass::transient().after(90 * SECOND);
    breaker.try_acquire().unwrap().report(class, &"503");
    assert_eq!(call(&breaker, Ok(())), Seen::Rejected(Some(90 * SECOND)));
}

#[test]
fn a_breaker_that_closes_and_opens_at_once_keeps_growing() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new()
        .failure_threshold(1)
        .reset_timeout(10 * SECOND)
        .max_reset_timeout(300 * SECOND);
    for open in [10, 20, 40, 80, 160, 300, 300] {
        fail(&breaker, 1);
        assert_eq!(open_for(&breaker), open * SECOND);
        clock.advance(open * SECOND);
        succeed(&breaker, 1);
    }
    // A stable time: closed for the last open time.
    clock.advance(300 * SECOND);
    fail(&breaker, 1);
    assert_eq!(open_for(&breaker), 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn in_a_paused_runtime_the_open_time_is_exact() {
    let breaker = CircuitBreaker::new().failure_threshold(1);
    for _ in 0..10 {
        breaker.reset();
        fail(&breaker, 1);
        tokio::time::sleep(30 * SECOND).await;
        succeed(&breaker, 1);
    }
}

#[test]
fn in_real_time_the_open_times_differ() {
    let first = opened(CircuitBreaker::new());
    assert!((0..20).any(|_| opened(CircuitBreaker::new()).abs_diff(first) > SECOND / 10));
}
