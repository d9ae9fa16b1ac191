//! The rounds of a task that synchronizes policies with other processes.

use std::fmt::Display;
use std::time::Duration;

use resilience_core::__internal::{Notified, Synchronized, draw, sync_lost, sync_restored};
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// A synchronization in rounds.
pub(crate) trait Rounds: Send {
    /// The policies, for the log.
    const POLICIES: Synchronized;

    /// The longest delay between two failed rounds, in intervals.
    const MAX_RETRY_INTERVALS: u32;

    type Error: Display;

    /// Returns the longest time between two rounds.
    fn interval(&self) -> Duration;

    /// Starts to listen for changes that need a round at once.
    fn listen() -> Notified;

    /// Exchanges data with the store once.
    fn round(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Returns the time limit of a round after a successful round; `None` if each step has a limit
    /// of its own.
    fn limit(&self) -> Option<Duration> {
        Some(time_limit(self.interval()))
    }

    /// Returns the delay after a successful round; at most the interval.
    fn pause(&self) -> Duration {
        self.interval()
    }

    /// Continues without the store after a failed round.
    fn failed(&mut self) {}
}

/// Runs rounds forever.
pub(crate) async fn run<R: Rounds>(mut rounds: R) {
    let mut failures = 0;
    loop {
        // Created before the round: the round may miss a change made meanwhile.
        let (notified, start) = (R::listen(), Instant::now());
        let limit = rounds.limit().map_or(Duration::MAX, |limit| longer(limit, failures));
        let error = match timeout(limit, rounds.round()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no answer within {limit:?}")),
        };
        let Some(error) = error else {
            if std::mem::take(&mut failures) > 0 {
                sync_restored(R::POLICIES);
            }
            // A random reduction of up to a quarter keeps the processes out of step.
            let wait = rounds.pause().mul_f64(1.0 - draw() / 4.0);
            let _ = timeout_at(start + wait, notified).await;
            continue;
        };
        if failures == 0 {
            sync_lost(R::POLICIES, &error);
        }
        failures = u32::saturating_add(failures, 1);
        rounds.failed();
        sleep(retry_delay::<R>(rounds.interval(), failures)).await;
    }
}

/// Returns the time limit of a round: two intervals.
pub(crate) fn time_limit(interval: Duration) -> Duration {
    interval.saturating_mul(2)
}

/// Returns the time limit of a round after consecutive failed rounds: doubled by each, up to eight
/// times the limit. A failed round loses the connection, and a connection to a distant store may
/// take longer than all answers of the store.
fn longer(limit: Duration, failures: u32) -> Duration {
    limit.saturating_mul(1 << failures.min(3))
}

/// Returns the delay after consecutive failed rounds: 1, 2, 4, … intervals, up to the maximum,
/// multiplied by a random factor from 0.5 to 1.
fn retry_delay<R: Rounds>(interval: Duration, failures: u32) -> Duration {
    let doubled = 1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX);
    let intervals = doubled.min(R::MAX_RETRY_INTERVALS);
    interval.saturating_mul(intervals).mul_f64(f64::midpoint(1.0, draw()))
}

/// The bounds of the interval between rounds.
pub(crate) fn clamp_interval(interval: Duration) -> Duration {
    interval.clamp(Duration::from_millis(10), Duration::from_secs(3600))
}
