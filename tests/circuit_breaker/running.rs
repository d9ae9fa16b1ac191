//! Slow calls before their end.

use std::time::Duration;

use proptest::prelude::*;
use resilience::{CircuitBreaker, CircuitGuard, CircuitState, testing};

use crate::{SECOND, Seen, call, is_open, succeed};

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new().failure_rate(0.5).slow_call(2 * SECOND).min_calls(10)
}

#[test]
fn the_end_of_an_earlier_call_ends_no_running_call() {
    let clock = testing::clock();
    let breaker = breaker();
    let start = || (0..20).map(|_| breaker.try_acquire().unwrap()).collect::<Vec<_>>();
    let old = start();
    breaker.reset();
    let _running = start();
    old.into_iter().for_each(CircuitGuard::success);
    clock.advance(3 * SECOND);
    assert_eq!(breaker.snapshot().slow_calls, 20);
}

/// The running calls reach the rate, and the next call opens the breaker.
#[test]
fn a_breaker_without_a_table_is_not_held_closed() {
    let clock = testing::clock();
    let breaker = breaker();
    let _running = (0..10).map(|_| breaker.try_acquire().unwrap()).collect::<Vec<_>>();
    clock.advance(3 * SECOND);
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.slow_calls), (CircuitState::Closed, 10));
    assert!(!snapshot.held_closed);
}

/// Ten calls per second to a hanging dependency.
#[test]
fn hanging_calls_open_the_breaker_soon_after_the_limit() {
    let clock = testing::clock();
    let breaker = breaker();
    let mut hanging = Vec::new();
    let mut elapsed = Duration::ZERO;
    while let Ok(guard) = breaker.try_acquire() {
        hanging.push(guard);
        clock.advance(SECOND / 10);
        elapsed += SECOND / 10;
        assert!(elapsed < 10 * SECOND, "still closed");
    }
    // Ten calls have to exceed the limit: the tenth started after 0.9 s.
    assert_eq!(elapsed, 3 * SECOND);
    assert!(is_open(&breaker));
}

#[test]
fn a_slow_call_counts_once_while_it_runs_and_after_its_end() {
    let clock = testing::clock();
    let breaker = breaker();
    succeed(&breaker, 3);
    let (slow, failed, dropped) = (
        breaker.try_acquire().unwrap(),
        breaker.try_acquire().unwrap(),
        breaker.try_acquire().unwrap(),
    );
    assert_eq!((breaker.snapshot().calls, breaker.snapshot().slow_calls), (3, 0));
    clock.advance(2 * SECOND);
    assert_eq!(breaker.snapshot().slow_calls, 0, "exactly as long is not slow");
    clock.advance(SECOND / 1000);
    assert_eq!((breaker.snapshot().calls, breaker.snapshot().slow_calls), (6, 3));
    slow.success();
    failed.failure();
    let seen = breaker.snapshot();
    assert_eq!((seen.calls, seen.slow_calls, seen.failures), (6, 3, 1));
    drop(dropped);
    assert_eq!((breaker.snapshot().calls, breaker.snapshot().slow_calls), (5, 2));
}

#[test]
fn calls_that_end_in_time_leave_nothing_behind() {
    let clock = testing::clock();
    let breaker = breaker();
    for _ in 0..1000 {
        let (one, two) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
        clock.advance(SECOND / 10);
        one.success();
        two.ignore();
    }
    clock.advance(3600 * SECOND);
    assert_eq!((breaker.snapshot().calls, breaker.snapshot().slow_calls), (0, 0));
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn calls_from_before_an_opening_do_not_count_after_closing() {
    let clock = testing::clock();
    let breaker = breaker().reset_timeout(SECOND);
    let old: Vec<_> = (0..20).map(|_| breaker.try_acquire().unwrap()).collect();
    clock.advance(3 * SECOND);
    assert!(matches!(call(&breaker, Ok(())), Seen::Rejected(_)));
    clock.advance(SECOND);
    succeed(&breaker, 1);
    assert_eq!((breaker.state(), breaker.snapshot().slow_calls), (CircuitState::Closed, 0));
    for guard in old {
        guard.failure();
    }
    assert_eq!((breaker.state(), breaker.snapshot().calls), (CircuitState::Closed, 0));
}

/// The success completes the minimum number of calls, and half of the calls hang.
#[test]
fn a_success_beside_hanging_calls_may_be_the_call_that_trips() {
    let clock = testing::clock();
    let breaker = breaker();
    let calls = || -> Vec<_> { (0..5).map(|_| breaker.try_acquire().unwrap()).collect() };
    let _hanging = calls();
    clock.advance(SECOND);
    let quick = calls();
    clock.advance(3 * SECOND / 2);
    let _next = breaker.try_acquire().unwrap();
    for guard in quick {
        assert_eq!(breaker.state(), CircuitState::Closed);
        guard.success();
    }
    assert!(is_open(&breaker));
}

/// A breaker that admits a growing share of the calls looks at its window before each call.
#[test]
fn a_rate_that_rises_while_calls_expire_opens_with_the_next_outcome() {
    let clock = testing::clock();
    let breaker = breaker().reset_timeout(SECOND).recovery(100 * SECOND);
    breaker.trip();
    clock.advance(SECOND);
    succeed(&breaker, 1);
    let call = || (0..20).find_map(|_| breaker.try_acquire().ok()).expect("a share of the calls");
    clock.advance(85 * SECOND);
    (0..6).for_each(|_| call().success());
    clock.advance(5 * SECOND);
    (0..5).for_each(|_| call().success());
    (0..6).for_each(|_| call().failure());
    // The first six calls expire, so six of eleven have failed.
    clock.advance(5 * SECOND);
    let guard = call();
    assert_eq!(breaker.state(), CircuitState::Closed);
    guard.success();
    assert!(is_open(&breaker));
}

/// Quick calls pass without the bookkeeping of slow calls.
#[test]
fn a_slow_success_after_quick_calls_counts_as_slow() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().slow_call(SECOND).count_window(10).min_calls(10);
    let call = |time| {
        let guard = breaker.try_acquire().unwrap();
        clock.advance(time);
        guard.success();
    };
    for _ in 0..5 {
        call(SECOND);
        call(2 * SECOND);
        call(SECOND / 2);
    }
    let seen = breaker.snapshot();
    assert_eq!((seen.calls, seen.slow_calls, seen.failures), (10, 3, 0));
    // A quick call that ends while another call hangs.
    let hanging = breaker.try_acquire().unwrap();
    clock.advance(SECOND / 2);
    let quick = breaker.try_acquire().unwrap();
    clock.advance(SECOND);
    quick.success();
    assert_eq!((breaker.snapshot().calls, breaker.snapshot().slow_calls), (11, 4));
    hanging.success();
    assert_eq!((breaker.snapshot().calls, breaker.snapshot().slow_calls), (10, 4));
}

/// More calls at once than a breaker keeps without its lock.
#[test]
fn any_number_of_calls_may_hang() {
    let clock = testing::clock();
    let breaker = breaker().min_calls(1000);
    let mut hanging = Vec::new();
    for _ in 0..100 {
        hanging.push(breaker.try_acquire().unwrap());
        clock.advance(SECOND / 1000);
    }
    for guard in hanging.drain(..10) {
        guard.success();
    }
    clock.advance(SECOND * 39 / 20);
    // The first 50 calls exceed the limit, and ten of these have ended in time.
    let seen = breaker.snapshot();
    assert_eq!((seen.calls, seen.slow_calls), (50, 40));
    clock.advance(SECOND);
    for guard in hanging {
        guard.success();
    }
    let seen = breaker.snapshot();
    assert_eq!((seen.calls, seen.slow_calls), (100, 90));
}

#[test]
fn calls_of_an_earlier_state_leave_room_for_later_calls() {
    let clock = testing::clock();
    let breaker = breaker().min_calls(1000);
    let mut old = Vec::new();
    for round in 0..50 {
        old.extend((0..10).map(|_| breaker.try_acquire().unwrap()));
        breaker.reset();
        let running = breaker.try_acquire().unwrap();
        clock.advance(3 * SECOND);
        assert_eq!(breaker.snapshot().slow_calls, 1, "round {round}");
        running.success();
        if round == 25 {
            old.drain(..).for_each(CircuitGuard::failure);
        }
        assert_eq!((breaker.snapshot().slow_calls, breaker.snapshot().failures), (1, 0));
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Start,
    /// Ends a running call.
    End(usize, End),
    Pass(u64),
    Look,
    Reset,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Success,
    Failure,
    Ignored,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let end =
        prop_oneof![6 => Just(End::Success), 1 => Just(End::Failure), 1 => Just(End::Ignored)];
    let step = prop_oneof![
        20 => Just(Step::Start),
        16 => (any::<usize>(), end).prop_map(|(call, end)| Step::End(call, end)),
        8 => prop_oneof![Just(0), Just(1), 1..300_u64].prop_map(Step::Pass),
        4 => Just(Step::Look),
        1 => Just(Step::Reset),
    ];
    proptest::collection::vec(step, 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Against a list of all running calls.
    #[test]
    fn a_breaker_counts_each_slow_call_once(steps in steps()) {
        const LIMIT: u64 = 100;
        let clock = testing::clock();
        let breaker = CircuitBreaker::new()
            .failure_rate(1.0)
            .slow_call(Duration::from_nanos(LIMIT))
            .count_window(1000)
            .min_calls(1000);
        let (mut now, mut epoch, mut running) = (0, 0, Vec::new());
        let (mut calls, mut slow) = (0_u32, 0_u32);
        for step in steps.into_iter().chain([Step::Look]) {
            match step {
                Step::Start => running.push((breaker.try_acquire().expect("closed"), epoch, now)),
                Step::End(_, _) if running.is_empty() => {}
                Step::End(call, end) => {
                    let (guard, of, start) = running.swap_remove(call % running.len());
                    match end {
                        End::Success => guard.success(),
                        End::Failure => guard.failure(),
                        End::Ignored => guard.ignore(),
                    }
                    if of == epoch && !matches!(end, End::Ignored) {
                        calls += 1;
                        slow += u32::from(now - start > LIMIT);
                    }
                }
                Step::Pass(nanos) => {
                    clock.advance(Duration::from_nanos(nanos));
                    now += nanos;
                }
                Step::Look => {
                    let is_slow = |of: u64, start: u64| of == epoch && now - start > LIMIT;
                    let hanging = running.iter().filter(|(_, of, start)| is_slow(*of, *start));
                    let hanging = u32::try_from(hanging.count()).unwrap();
                    let seen = breaker.snapshot();
                    let counts = (seen.calls, seen.slow_calls);
                    prop_assert_eq!(counts, (calls + hanging, slow + hanging));
                }
                Step::Reset => {
                    breaker.reset();
                    epoch += 1;
                    (calls, slow) = (0, 0);
                }
            }
        }
    }
}
