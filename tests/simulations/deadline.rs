//! The guarantees of a deadline, over random schedules.
//!
//! Not implemented: passing the remaining time on to called functions (of 30 s, 23 s and then 19
//! s), and a limit per attempt. A running attempt is not interrupted.

use core::fmt;
use std::cell::RefCell;
use std::time::Duration;

use resilience::{DelaySource, FailureClass, Jitter, RetryPolicy, StopReason, retry, testing};

use crate::random::Random;
use crate::table::Table;

/// The events of a call; times count from the start of the call.
#[derive(Debug, Default)]
struct Log {
    starts: Vec<Duration>,
    /// The planned end of each delay.
    waits: Vec<Duration>,
    /// The number of consecutive delays chosen by the policy.
    backoffs: u32,
    /// The end of the call, the reason, and the delay asked for by the server.
    end: Option<(Duration, StopReason, Option<Duration>)>,
}

/// A body that always fails, with observations.
struct Watched<'b> {
    clock: testing::Clock,
    /// The duration and the failure of the next attempt.
    next: RefCell<&'b mut dyn FnMut() -> (Duration, FailureClass)>,
    log: RefCell<Log>,
}

impl Watched<'_> {
    fn attempt(&self) -> FailureClass {
        self.log.borrow_mut().starts.push(self.clock.elapsed());
        let (time, class) = (self.next.borrow_mut())();
        self.clock.advance(time);
        class
    }
}

#[retry(
    policy = policy,
    on = |class| *class,
    on_retry = |event| {
        let mut log = watched.log.borrow_mut();
        log.waits.push(event.elapsed + event.delay);
        log.backoffs = if event.delay_source == DelaySource::Server { 0 } else { log.backoffs + 1 };
    },
    on_give_up = |event| {
        watched.log.borrow_mut().end = Some((event.elapsed, event.reason, event.class.after));
    },
)]
fn work(policy: &RetryPolicy, watched: &Watched<'_>) -> Result<(), FailureClass> {
    Err(watched.attempt())
}

fn watch(policy: &RetryPolicy, next: &mut dyn FnMut() -> (Duration, FailureClass)) -> Log {
    let watched =
        Watched { clock: testing::clock(), next: RefCell::new(next), log: RefCell::default() };
    assert!(work(policy, &watched).is_err());
    watched.log.into_inner()
}

/// Only the deadline ends a call with this policy.
fn any_policy(deadline: Duration, jitter: Jitter, random: &mut Random) -> RetryPolicy {
    let policy = random.one_of([
        RetryPolicy::new().exponential(),
        RetryPolicy::new().fixed(),
        RetryPolicy::new().linear(),
        RetryPolicy::new().fibonacci(),
    ]);
    let policy = policy.base_delay(random.micros(200_000)).max_delay(Duration::from_secs(1));
    policy.jitter(jitter).unlimited().deadline(deadline)
}

#[test]
fn nothing_starts_or_waits_beyond_the_deadline() {
    const SCHEDULES: u64 = 2_000;
    let mut table = Table::default();
    let (mut starts, mut waits, mut decided) = (0, 0, 0);
    let mut nearest = Duration::MAX;
    for seed in 0..SCHEDULES {
        let mut random = Random::new(seed);
        let _draws = testing::seed(random.word());
        let deadline = Duration::from_micros(1) + random.micros(5_000_000);
        let jitter = random.one_of([
            Jitter::None,
            Jitter::Full,
            Jitter::Equal,
            Jitter::Decorrelated,
            Jitter::Ratio(0.5),
            Jitter::UpTo(Duration::from_millis(50)),
        ]);
        let policy = any_policy(deadline, jitter, &mut random);
        let log = watch(&policy, &mut || {
            let time = Duration::from_millis(1) + random.micros(300_000);
            let class = if random.chance(0.2) {
                FailureClass::throttled(Some(Duration::from_micros(1) + random.micros(500_000)))
            } else {
                FailureClass::transient()
            };
            (time, class)
        });
        let mut hold = |holds, what: fmt::Arguments<'_>| {
            table.hold(holds, format_args!("schedule {seed}: {what}, {log:?}, {deadline:?}"));
        };
        hold(log.starts.iter().all(|start| *start < deadline), format_args!("a late start"));
        hold(log.waits.iter().all(|end| *end < deadline), format_args!("a late end of a wait"));
        hold(log.starts[1..] == log.waits, format_args!("a start away from the end of a delay"));
        let Some((end, StopReason::Deadline, asked)) = log.end else {
            hold(false, format_args!("another end"));
            continue;
        };
        // The call does not give up early either. Without jitter the rejected delay is known.
        let refused = match (asked, jitter) {
            (None, Jitter::None) => Some(policy.delay(log.backoffs + 1, None)),
            (asked, _) => asked,
        };
        hold(refused.is_none_or(|wait| end + wait >= deadline), format_args!("an early end"));
        decided += u32::from(refused.is_some());
        starts += log.starts.len();
        waits += log.waits.len();
        nearest = log
            .waits
            .iter()
            .fold(nearest, |nearest, end| nearest.min(deadline.saturating_sub(*end)));
    }
    table.line(format_args!("{SCHEDULES} random schedules against their deadlines:"));
    table.line(format_args!("{starts} starts and {waits} ends of waits, none at it or after"));
    table.line(format_args!("the nearest was {nearest:?} before the deadline"));
    table.line(format_args!("{decided} ends whose wait is known, none while there was time"));
    table.hold(starts > 5_000 && decided > 300, "too little happened to prove anything");
    table.finish();
}

/// Published for a caller with 10 s, of which 8 s have passed: 2 s remain. This applies to a
/// function and its attempts.
#[test]
fn a_slow_attempt_leaves_the_remaining_time() {
    const LIMIT: Duration = Duration::from_secs(10);
    const SLOW: Duration = Duration::from_secs(8);
    let nanos = Duration::from_nanos;
    let mut table = Table::default();
    table.line("10 s for a function, 8 s for an attempt");
    for (wait, starts, end) in [
        (nanos(2_000_000_000), vec![Duration::ZERO], SLOW),
        (
            nanos(1_999_999_999),
            vec![Duration::ZERO, nanos(9_999_999_999)],
            nanos(9_999_999_999) + SLOW,
        ),
    ] {
        let policy = RetryPolicy::new().fixed().base_delay(wait).deadline(LIMIT);
        let log = watch(&policy, &mut || (SLOW, FailureClass::transient()));
        table.line(format_args!("a wait of {wait:?}: attempts start at {:?}", log.starts));
        table.hold(log.starts == starts, format_args!("{wait:?}: {log:?}"));
        let expected = Some((end, StopReason::Deadline, None));
        table.hold(log.end == expected, format_args!("{wait:?}: not {expected:?}, {log:?}"));
    }
    table.finish();
}
