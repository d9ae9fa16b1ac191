//! Many threads on one breaker.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use resilience::{CircuitBreaker, CircuitState};

const THREADS: u32 = 8;

/// Makes calls in each thread. `fails` decides by the thread and the call.
fn call_in_threads(breaker: &CircuitBreaker, calls: u32, fails: impl Fn(u32, u32) -> bool + Sync) {
    let fails = &fails;
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for call in 0..calls {
                    let guard = breaker.try_acquire().expect("closed");
                    if fails(thread, call) { guard.failure() } else { guard.success() }
                }
            });
        }
    });
}

#[test]
fn no_outcome_is_lost() {
    let breaker = CircuitBreaker::new().failure_rate(1.0).count_window(100_000).min_calls(100_000);
    call_in_threads(&breaker, 5000, |thread, call| (call + thread) % 2 == 0);
    let seen = breaker.snapshot();
    assert_eq!((seen.calls, seen.failures), (THREADS * 5000, THREADS * 2500));
}

/// Most of these successes take no lock.
#[test]
fn no_success_is_lost_next_to_occasional_failures() {
    for round in 0..20_u32 {
        let breaker =
            CircuitBreaker::new().failure_rate(1.0).count_window(100_000).min_calls(100_000);
        call_in_threads(&breaker, 2000, |thread, call| thread == 0 && call == 1000 + round);
        let seen = breaker.snapshot();
        assert_eq!((seen.calls, seen.failures), (THREADS * 2000, 1));
    }
}

/// Most of these calls take no lock, and hanging calls send some to the list under the lock.
#[test]
fn no_measured_call_is_lost() {
    let breaker = CircuitBreaker::new()
        .failure_rate(1.0)
        .slow_call(Duration::from_secs(3600))
        .count_window(100_000)
        .min_calls(100_000);
    let hanging: Vec<_> = (0..14).map(|_| breaker.try_acquire().expect("closed")).collect();
    call_in_threads(&breaker, 2000, |thread, call| (call + thread) % 100 == 0);
    let seen = breaker.snapshot();
    assert_eq!((seen.calls, seen.failures, seen.slow_calls), (THREADS * 2000, THREADS * 20, 0));
    for guard in hanging {
        guard.success();
    }
    assert_eq!(breaker.snapshot().calls, THREADS * 2000 + 14);
}

#[test]
fn a_run_of_failures_opens_the_breaker_once() {
    static OPENED: AtomicU32 = AtomicU32::new(0);
    let breaker = CircuitBreaker::new()
        .failure_threshold(1000)
        .reset_timeout(Duration::from_secs(3600))
        .on_state_change(|_| _ = OPENED.fetch_add(1, Relaxed));
    let let_through = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..1000 {
                    if let Ok(guard) = breaker.try_acquire() {
                        let_through.fetch_add(1, Relaxed);
                        guard.failure();
                    }
                }
            });
        }
    });
    assert_eq!(breaker.state(), CircuitState::Open);
    assert_eq!(OPENED.load(Relaxed), 1);
    let let_through = let_through.into_inner();
    assert!((1000..1000 + THREADS).contains(&let_through), "{let_through}");
}

#[test]
fn many_callers_share_the_limited_trial_calls() {
    for _ in 0..200 {
        let breaker = CircuitBreaker::new()
            .failure_threshold(1)
            .reset_timeout(Duration::from_secs(3600))
            .success_threshold(3);
        breaker.trip();
        breaker.probe();
        let probes: Vec<_> = thread::scope(|scope| {
            let callers: Vec<_> =
                (0..THREADS).map(|_| scope.spawn(|| breaker.try_acquire())).collect();
            callers.into_iter().filter_map(|caller| caller.join().unwrap().ok()).collect()
        });
        assert_eq!(probes.len(), 3);
        thread::scope(|scope| {
            for (number, probe) in probes.into_iter().enumerate() {
                scope.spawn(move || if number == 0 { drop(probe) } else { probe.success() });
            }
        });
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
        breaker.try_acquire().expect("the permit of the dropped call").success();
        assert_eq!(breaker.state(), CircuitState::Closed);
    }
}
