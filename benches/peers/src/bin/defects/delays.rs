//! Delays between attempts.

use std::cell::Cell;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, BlockingRetryable as _, ExponentialBuilder, FibonacciBuilder};
use resilience::{FailureClass, Jitter, RetryPolicy};
use tokio_retry2::RetryError;
use tower::retry::backoff::{Backoff as _, ExponentialBackoffMaker, MakeBackoff as _};
use tower::util::rng::HasherRng;

use crate::Defect;

const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn all() -> Vec<Defect> {
    vec![
        jitter_above_the_ceiling(),
        fibonacci_without_ceiling(),
        deadline_of_waits_only(),
        ignored_server_delay(),
        equal_jitter_of_all_requests(),
    ]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

fn longest(delays: impl IntoIterator<Item = Duration>) -> Duration {
    delays.into_iter().max().unwrap_or_default()
}

fn jitter_above_the_ceiling() -> Defect {
    let theirs = ExponentialBuilder::default()
        .with_min_delay(SECOND)
        .with_max_delay(SECOND)
        .with_jitter()
        .with_max_times(1000);
    let theirs = longest(theirs.build());
    let policy = RetryPolicy::new().base_delay(SECOND).max_delay(SECOND).jitter(Jitter::Full);
    let ours = longest((0..1000).map(|_| policy.delay(1, None)));
    Defect::new(
        ("backon 1.6", "`max_delay` 1 s with jitter: longest of 1000 delays"),
        format_args!("{theirs:.1?}"),
        format_args!("{ours:.1?}"),
        theirs > SECOND && ours <= SECOND,
    )
}

fn fibonacci_without_ceiling() -> Defect {
    let four = 4 * SECOND;
    let theirs =
        FibonacciBuilder::default().with_min_delay(SECOND).with_max_delay(four).with_max_times(6);
    let theirs = longest(theirs.build());
    let policy =
        RetryPolicy::new().fibonacci().base_delay(SECOND).max_delay(four).jitter(Jitter::None);
    let ours = longest((1..=6).map(|retry| policy.delay(retry, None)));
    Defect::new(
        ("backon 1.6", "Fibonacci from 1 s with `max_delay` 4 s: longest of 6 delays"),
        format_args!("{theirs:.0?}"),
        format_args!("{ours:.0?}"),
        theirs > four && ours == four,
    )
}

fn deadline_of_waits_only() -> Defect {
    const LIMIT: Duration = Duration::from_millis(100);
    const WAIT: Duration = Duration::from_millis(10);
    let slow = || {
        std::thread::sleep(Duration::from_millis(50));
        Err::<(), ()>(())
    };
    let start = Instant::now();
    let builder = ExponentialBuilder::default()
        .with_min_delay(WAIT)
        .with_max_delay(WAIT)
        .with_max_times(100)
        .with_total_delay(Some(LIMIT));
    let _ = slow.retry(builder).call();
    let theirs = start.elapsed();
    let start = Instant::now();
    let policy = RetryPolicy::new().fixed().base_delay(WAIT).jitter(Jitter::None);
    let _ = policy.attempts(100).deadline(LIMIT).run(slow);
    let ours = start.elapsed();
    Defect::new(
        ("backon 1.6", "limit of 100 ms, attempts of 50 ms: total time"),
        format_args!("{theirs:.0?}"),
        format_args!("{ours:.0?}"),
        theirs > 4 * LIMIT && ours < 3 * LIMIT,
    )
}

fn ignored_server_delay() -> Defect {
    const ASKED: Duration = Duration::from_millis(300);
    let runtime = runtime();
    let start = Instant::now();
    let strategy = std::iter::repeat_n(Duration::from_millis(1), 1);
    let _ = runtime.block_on(tokio_retry2::Retry::spawn(strategy, async || {
        Err::<(), _>(RetryError::retry_after((), ASKED))
    }));
    let theirs = start.elapsed();
    let start = Instant::now();
    let policy = RetryPolicy::new().attempts(2).fixed().base_delay(Duration::from_millis(1));
    let _ = policy.on(|(): &()| FailureClass::throttled(Some(ASKED))).run(|| Err::<(), _>(()));
    let ours = start.elapsed();
    Defect::new(
        ("tokio-retry2 0.9", "the error asks for 300 ms, the strategy says 1 ms: wait"),
        format_args!("{theirs:.0?}"),
        format_args!("{ours:.0?}"),
        theirs < ASKED && ours >= ASKED,
    )
}

fn equal_jitter_of_all_requests() -> Defect {
    let runtime = runtime();
    let _entered = runtime.enter();
    let mut maker = ExponentialBackoffMaker::new(
        Duration::from_millis(900),
        100 * SECOND,
        1.0,
        HasherRng::default(),
    )
    .expect("valid settings");
    let theirs: Vec<_> = (0..20)
        .map(|_| {
            let start = tokio::time::Instant::now();
            let sleep = maker.make_backoff().next_backoff();
            sleep.deadline().saturating_duration_since(start)
        })
        .collect();
    let policy = RetryPolicy::new().base_delay(Duration::from_millis(900)).jitter(Jitter::Full);
    let ours: Vec<_> = (0..20).map(|_| policy.delay(1, None)).collect();
    let spread = |delays: &[Duration]| {
        longest(delays.iter().copied()) - delays.iter().copied().min().unwrap_or_default()
    };
    let (theirs, ours) = (spread(&theirs), spread(&ours));
    Defect::new(
        ("tower 0.5", "first delay of 20 requests, 900 ms with full jitter: spread"),
        format_args!("{theirs:.1?}"),
        format_args!("{ours:.0?}"),
        // The clock is read twice, so the times differ by some microseconds.
        theirs < Duration::from_millis(10) && ours > Duration::from_millis(100),
    )
}

/// Counts the calls of a function.
pub(crate) fn counting<T>(count: &Cell<u32>, value: T) -> T {
    count.set(count.get() + 1);
    value
}
