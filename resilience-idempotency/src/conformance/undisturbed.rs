//! Cases measure real time, and a machine that is busy can stop a case for longer than a lease.

use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

/// The lateness of a thread at which the times of a case mean nothing.
const LATE: Duration = Duration::from_millis(5);
/// The number of runs of a case on a machine that stays busy.
const RUNS: u32 = 20;

/// Runs a case, and repeats a case that fails while the machine is busy.
///
/// A failure on a machine that runs threads in time counts at once, so a race that a store loses
/// rarely is not hidden.
///
/// # Panics
/// Panics with the failure of the case.
pub fn undisturbed(case: impl Fn()) {
    for run in 1.. {
        let (outcome, lateness) = with_lateness(|| catch_unwind(AssertUnwindSafe(&case)));
        match outcome {
            Ok(()) => return,
            Err(failure) if lateness < LATE || run == RUNS => resume_unwind(failure),
            Err(_) => {}
        }
    }
}

/// Returns the result of `run` and the longest lateness of a thread that wakes each millisecond.
fn with_lateness<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    const PERIOD: Duration = Duration::from_millis(1);
    let (end, ended) = channel::<()>();
    let watch = move || {
        let mut longest = Duration::ZERO;
        loop {
            let start = Instant::now();
            let woken = ended.recv_timeout(PERIOD);
            longest = longest.max(start.elapsed().saturating_sub(PERIOD));
            if woken != Err(RecvTimeoutError::Timeout) {
                return longest;
            }
        }
    };
    thread::scope(|scope| {
        let watcher = scope.spawn(watch);
        let result = run();
        drop(end);
        (result, watcher.join().unwrap_or_default())
    })
}
