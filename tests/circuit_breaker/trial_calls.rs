//! Trial calls of any length: a half-open breaker always decides.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use proptest::prelude::*;
use resilience::{CircuitBreaker, CircuitGuard, CircuitState, Rejected, circuit_breaker, testing};

use crate::{SECOND, fail};

/// Every default, and a healthy dependency that takes longer than the open time.
#[tokio::test(start_paused = true)]
async fn a_trial_call_longer_than_the_open_time_closes_the_breaker() {
    static DOWN: AtomicBool = AtomicBool::new(true);
    #[circuit_breaker(name = "slow report")]
    async fn report() -> Result<(), Rejected> {
        if DOWN.load(SeqCst) {
            return Err(Rejected::timed_out("report", Duration::from_millis(1)));
        }
        tokio::time::sleep(45 * SECOND).await;
        Ok(())
    }
    for _ in 0..5 {
        let _ = report().await;
    }
    DOWN.store(false, SeqCst);
    let mut calls = Vec::new();
    for _ in 0..360 {
        calls.push(tokio::spawn(report()));
        tokio::time::sleep(10 * SECOND).await;
    }
    let breaker = circuit_breaker("slow report").unwrap();
    assert_eq!(breaker.state(), CircuitState::Closed);
    let mut rejected = 0;
    for call in calls {
        rejected += u32::from(call.await.unwrap().is_err());
    }
    assert!(rejected <= 9, "{rejected} calls were rejected in the first 90 s");
}

/// A call of the simulation: the end, the guard, and whether the call succeeds.
type Running<'b> = BTreeMap<(Duration, u32), (CircuitGuard<'b>, bool)>;

/// Simulates calls of the length `takes` until `until`. Returns the number of admitted calls.
fn simulate(
    breaker: &CircuitBreaker,
    clock: &testing::Clock,
    every: Duration,
    takes: Duration,
    until: Duration,
    succeeds: bool,
) -> u32 {
    let (mut running, mut admitted, mut now) = (Running::new(), 0, Duration::ZERO);
    while now < until {
        while let Some(call) = running.first_entry().filter(|call| call.key().0 <= now) {
            let (guard, succeeds) = call.remove();
            if succeeds { guard.success() } else { guard.failure() }
        }
        if let Ok(guard) = breaker.try_acquire() {
            admitted += 1;
            running.insert((now + takes, admitted), (guard, succeeds));
        }
        clock.advance(every);
        now += every;
    }
    admitted
}

#[test]
fn the_open_time_grows_though_failures_take_longer_than_the_open_time() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new()
        .failure_threshold(5)
        .reset_timeout(30 * SECOND)
        .max_reset_timeout(600 * SECOND);
    fail(&breaker, 5);
    let admitted = simulate(&breaker, &clock, SECOND, 40 * SECOND, 3600 * SECOND, false);
    assert!(breaker.snapshot().reopened >= 7, "{:?}", breaker.snapshot());
    assert!(admitted <= 10, "{admitted} calls reached a dependency that was down for an hour");
}

#[test]
fn a_healthy_dependency_is_used_again_soon_after_an_outage() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_threshold(5).reset_timeout(5 * SECOND);
    fail(&breaker, 5);
    let half = SECOND / 2;
    let admitted = simulate(&breaker, &clock, half, 6 * SECOND, 600 * SECOND, true);
    assert!(admitted >= 1170, "{admitted} of 1200");
}

#[test]
fn a_late_failure_of_a_trial_call_opens_the_breaker_again() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_threshold(1).reset_timeout(SECOND);
    fail(&breaker, 1);
    clock.advance(SECOND);
    let late = breaker.try_acquire().unwrap();
    clock.advance(10 * SECOND);
    let next = breaker.try_acquire().expect("the lease of the first has ended");
    late.failure();
    assert_eq!(breaker.state(), CircuitState::Open);
    next.success();
    assert_eq!(breaker.state(), CircuitState::Open, "a call of the state before");
}

#[test]
fn every_trial_call_counts_once_and_no_more_start_than_leases_allow() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new()
        .failure_threshold(1)
        .reset_timeout(SECOND)
        .success_threshold(3)
        .half_open_calls(3);
    fail(&breaker, 1);
    clock.advance(SECOND);
    let first: Vec<_> = (0..3).map(|_| breaker.try_acquire().expect("a permit")).collect();
    assert!(breaker.try_acquire().is_err());
    clock.advance(SECOND);
    let second: Vec<_> = (0..3).map(|_| breaker.try_acquire().expect("a permit")).collect();
    assert!(breaker.try_acquire().is_err());
    for guard in first.into_iter().take(2).chain(second.into_iter().take(1)) {
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
        guard.success();
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[derive(Clone, Copy, Debug)]
struct Arrival {
    pause: u64,
    takes: u64,
    /// A neutral outcome.
    neutral: bool,
}

fn arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    let arrival =
        (0..3000_u64, prop_oneof![0..200_u64, 0..200_000_u64], proptest::bool::weighted(0.2))
            .prop_map(|(pause, takes, neutral)| Arrival { pause, takes, neutral });
    proptest::collection::vec(arrival, 1..300)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// For any ratio of call time to open time: from half-open, a healthy dependency is closed
    /// after at most `success_threshold` answered trial calls.
    #[test]
    fn a_healthy_dependency_closes_the_breaker_after_enough_answers(
        arrivals in arrivals(),
        open_millis in 1..60_000_u64,
        successes in 1..5_u32,
        more in 0..3_u32,
    ) {
        let clock = testing::clock();
        let breaker = CircuitBreaker::new()
            .failure_threshold(1)
            .reset_timeout(Duration::from_millis(open_millis))
            .success_threshold(successes)
            .half_open_calls(successes + more);
        fail(&breaker, 1);
        breaker.probe();
        let (mut now, mut answered, mut number) = (0, 0, 0_u32);
        let mut running: BTreeMap<(u64, u32), (CircuitGuard<'_>, bool)> = BTreeMap::new();
        let mut end = |running: &mut BTreeMap<(u64, u32), (CircuitGuard<'_>, bool)>, until: u64| {
            while let Some(call) = running.first_entry().filter(|call| call.key().0 <= until) {
                let (guard, neutral) = call.remove();
                if neutral {
                    guard.ignore();
                    continue;
                }
                guard.success();
                answered += 1;
                let closed = breaker.state() == CircuitState::Closed;
                if closed != (answered >= successes) {
                    return Err(TestCaseError::fail(format!("{answered} answers: {closed}")));
                }
            }
            Ok(())
        };
        for Arrival { pause, takes, neutral } in arrivals {
            end(&mut running, now)?;
            if breaker.state() == CircuitState::Closed {
                break;
            }
            if let Ok(guard) = breaker.try_acquire() {
                number += 1;
                running.insert((now + takes, number), (guard, neutral));
            }
            clock.advance(Duration::from_millis(pause));
            now += pause;
        }
        end(&mut running, u64::MAX)?;
        // No permit is lost: with further calls the breaker closes.
        for _ in 0..successes {
            clock.advance(Duration::from_millis(open_millis));
            if breaker.state() == CircuitState::HalfOpen {
                breaker.try_acquire().expect("a permit").success();
            }
        }
        prop_assert_eq!(breaker.state(), CircuitState::Closed);
    }
}

/// The end of a trial call makes room for one further trial call.
#[test]
fn every_trial_call_takes_a_place_of_its_own() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_threshold(1).half_open_calls(6);
    breaker.trip();
    clock.advance(30 * SECOND);
    let mut running: Vec<_> = (0..6).map(|_| breaker.try_acquire().unwrap()).collect();
    for _ in 0..20 {
        assert!(breaker.try_acquire().is_err());
        running.remove(2).ignore();
        running.push(breaker.try_acquire().unwrap());
    }
}

/// A snapshot of a breaker that needs more trial calls than the restored breaker admits.
#[test]
fn restored_trial_calls_decide_at_the_next_call() {
    let clock = testing::clock();
    let settings = || CircuitBreaker::new().failure_threshold(1).reset_timeout(SECOND);
    for (trials, state) in
        [([true, true, false], CircuitState::Closed), ([false, false, true], CircuitState::Open)]
    {
        let old = settings().success_threshold(4).half_open_calls(9);
        fail(&old, 1);
        clock.advance(SECOND);
        for works in trials {
            assert_eq!(old.run(|| works.then_some(())).is_some(), works);
        }
        assert_eq!(old.state(), CircuitState::HalfOpen);
        let new = settings().success_threshold(2).half_open_calls(3);
        new.restore(&old.snapshot());
        assert_eq!(new.try_acquire().is_ok(), state == CircuitState::Closed);
        assert_eq!(new.state(), state);
        clock.advance(SECOND);
        assert!(new.try_acquire().is_ok());
    }
}
