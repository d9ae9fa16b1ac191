//! Properties of every rate and every sequence of calls.

use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;
use resilience::{RateLimiter, testing};

use crate::{left, ns};

/// The interval of calls, in whole nanoseconds.
fn interval(rate: u32, per: Duration) -> u128 {
    per.as_nanos().div_ceil(u128::from(rate))
}

/// Checks that no window has more calls than the burst plus the steady rate; `times` is sorted.
fn excess(times: &[u128], rate: u32, per: Duration, burst: u32) -> Option<String> {
    for (first, from) in times.iter().enumerate() {
        for (last, to) in times.iter().enumerate().skip(first) {
            let calls = (last - first + 1) as u128;
            // calls <= burst + (to - from) * rate / per, without a fraction.
            let share = (to - from) * u128::from(rate);
            if calls.saturating_sub(u128::from(burst)) * per.as_nanos() > share {
                return Some(format!("{calls} calls in {} ns", to - from));
            }
        }
    }
    None
}

#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Try,
    /// Reserves a permit and keeps the reservation.
    Reserve,
    /// Returns a reservation that is still ahead, by index.
    Return(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3_000_u64).prop_map(Step::Pass),
        Just(Step::Try),
        Just(Step::Reserve),
        any::<usize>().prop_map(Step::Return),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn never_too_many_in_any_window(
        rate in 1..50_u32,
        per in 1..10_000_u64,
        burst in 1..6_u32,
        wait in 0..5_000_u64,
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let per = ns(per);
        let limiter = RateLimiter::new(rate, per).burst(burst).wait(ns(wait));
        let clock = testing::clock();
        let mut calls: Vec<u128> = Vec::new();
        let mut ahead: VecDeque<(u128, resilience::Reservation<'_>)> = VecDeque::new();
        for step in steps {
            let now = clock.elapsed().as_nanos();
            // Reservations whose time has come make their call.
            while ahead.front().is_some_and(|(time, _)| *time <= now) {
                calls.extend(ahead.pop_front().map(|(time, _)| time));
            }
            match step {
                Step::Pass(by) => clock.advance(ns(by)),
                Step::Try => {
                    let free = limiter.available();
                    let answer = left(limiter.try_acquire());
                    prop_assert_eq!(free > 0, answer.is_none());
                    if answer.is_none() {
                        calls.push(now);
                    }
                }
                Step::Reserve => {
                    if let Ok(reservation) = limiter.reserve() {
                        prop_assert!(reservation.delay() <= ns(wait));
                        ahead.push_back((now + reservation.delay().as_nanos(), reservation));
                    }
                }
                Step::Return(which) => {
                    if !ahead.is_empty() {
                        drop(ahead.remove(which % ahead.len()));
                    }
                }
            }
        }
        calls.extend(ahead.iter().map(|(time, _)| *time));
        calls.sort_unstable();
        prop_assert_eq!(excess(&calls, rate, per, burst), None);
    }

    /// A limiter that admits no call would satisfy every limit, so the test requires the allowed
    /// calls too.
    #[test]
    fn the_reported_wait_is_exact(
        rate in 1..50_u32,
        per in 1..10_000_u64,
        burst in 1..6_u32,
        passes in prop::collection::vec(0..3_000_u64, 1..60),
    ) {
        let per = ns(per);
        let limiter = RateLimiter::new(rate, per).burst(burst);
        let interval = interval(rate, per);
        let clock = testing::clock();
        // The reference: tokens as time, saved up to a burst.
        let full = interval * u128::from(burst);
        let (mut saved, mut seen) = (full, 0);
        for pass in passes {
            clock.advance(ns(pass));
            let now = clock.elapsed().as_nanos();
            saved = full.min(saved + now - seen);
            seen = now;
            prop_assert_eq!(u128::from(limiter.available()), saved / interval);
            match left(limiter.try_acquire()) {
                None => {
                    prop_assert!(saved >= interval);
                    saved -= interval;
                }
                Some(left) => {
                    prop_assert_eq!(left.as_nanos(), interval - saved);
                    // Rejected a nanosecond before the reported time, admitted at the reported
                    // time.
                    clock.advance(left.saturating_sub(ns(1)));
                    prop_assert!(limiter.try_acquire().is_err());
                    clock.advance(ns(1));
                    prop_assert!(limiter.try_acquire().is_ok());
                    (saved, seen) = (0, clock.elapsed().as_nanos());
                }
            }
        }
    }
}
