//! The synchronization task: leases shares of rates and renews the leases.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use resilience_core::__internal::{
    Notified, RateShare, Synchronized, rate_share_requests, rate_shares,
};
use resilience_core::RateLimiter;

use super::lease_store::LeaseStore;
use super::leased_rate::{LeasedRate, Timing};
use crate::rounds::{self, Rounds, clamp_interval, time_limit};

/// The length of a lease, in intervals. Between two renewals a round may fail.
const LEASE_INTERVALS: u32 = 4;

/// A task that leases shares of the shared rates of this process from a [`LeaseStore`].
///
/// A process needs one task. The task finds each shared limiter from its first use on: the
/// functions with `#[rate_limit(shared = "…")]`, and the limiters made by [`RateLimiter::shared`].
/// The application has to spawn [`run`](Self::run):
///
/// ```no_run
/// # fn start() -> redis::RedisResult<()> {
/// use resilience::stores::rate_limit::{RateLimitSync, RedisLeases};
///
/// let client = redis::Client::open("redis://127.0.0.1/")?;
/// tokio::spawn(RateLimitSync::new(RedisLeases::new(client)).run());
/// # Ok(()) }
/// ```
pub struct RateLimitSync<S> {
    store: S,
    interval: Duration,
    processes: u32,
    with: Vec<Arc<RateShare>>,
    rates: Vec<LeasedRate>,
}

impl<S: LeaseStore> RateLimitSync<S> {
    /// Creates a task that renews the leases every 500 ms.
    #[must_use]
    pub fn new(store: S) -> Self {
        // Limiters that are called from now on wait for their first lease.
        drop(rate_share_requests());
        let interval = Duration::from_millis(500);
        Self { store, interval, processes: 1, with: Vec::new(), rates: Vec::new() }
    }

    /// Sets the longest time between two renewals: from 10 ms to one hour. Default: 500 ms.
    ///
    /// A lease lasts for four intervals, so the share of a process that has crashed is free after
    /// four intervals.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = clamp_interval(interval);
        self
    }

    /// Sets the expected number of limiters with the same name in all processes. Default: 1.
    ///
    /// The number counts only if the store was never reached since the start of the process: a
    /// limiter then uses the rate divided by the number. Zero counts as 1.
    #[must_use]
    pub fn processes(mut self, processes: u32) -> Self {
        self.processes = processes.max(1);
        self
    }

    /// Adds a limiter before its first use, for a process with several tasks and stores. A limiter
    /// that is not [`shared`](RateLimiter::shared), or that another task has, is ignored.
    #[must_use]
    pub fn with(mut self, limiter: impl AsRef<RateLimiter>) -> Self {
        self.with.extend(limiter.as_ref().claim_share());
        self
    }

    /// Runs forever and never fails. Dropping the future ends the leases: each limiter continues
    /// with an equal share after the end of its lease.
    ///
    /// A round fails if the store returns an error or does not answer within two intervals. The
    /// first failed round is logged at WARN. The delay before the next round grows to four
    /// intervals. Meanwhile each limiter uses its lease, and then the rate divided by the number
    /// of members at the last exchange. Requires a tokio runtime with time enabled; Redis also
    /// requires IO.
    pub async fn run(self) {
        rounds::run(self).await;
    }

    fn timing(&self) -> Timing {
        let interval = self.interval;
        let lease = interval.saturating_mul(LEASE_INTERVALS);
        let longest_delay = interval.saturating_mul(Self::MAX_RETRY_INTERVALS);
        let returning = longest_delay.saturating_add(time_limit(interval));
        Timing { interval, lease, returning }
    }
}

impl<S: LeaseStore> Rounds for RateLimitSync<S> {
    const POLICIES: Synchronized = Synchronized::RateLimits;
    const MAX_RETRY_INTERVALS: u32 = LEASE_INTERVALS;

    type Error = S::Error;

    fn interval(&self) -> Duration {
        self.interval
    }

    fn listen() -> Notified {
        rate_share_requests()
    }

    async fn round(&mut self) -> Result<(), S::Error> {
        let timing = self.timing();
        self.rates.retain(LeasedRate::is_in_use);
        let new = self.with.drain(..).chain(rate_shares());
        self.rates.extend(new.map(|share| LeasedRate::new(share, self.processes, timing)));
        for rate in &mut self.rates {
            rate.exchange(&mut self.store, timing).await?;
        }
        Ok(())
    }

    /// Returns a fourth of the interval while a lease is smaller than the fair share: the others
    /// return what is missing at their next renewals.
    fn pause(&self) -> Duration {
        if self.rates.iter().any(LeasedRate::is_waiting) {
            self.interval / 4
        } else {
            self.interval
        }
    }

    fn failed(&mut self) {
        let timing = self.timing();
        self.rates.iter_mut().for_each(|rate| rate.fall_back(timing));
    }
}

impl<S> fmt::Debug for RateLimitSync<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitSync")
            .field("interval", &self.interval)
            .field("processes", &self.processes)
            .field("rates", &self.rates)
            .finish_non_exhaustive()
    }
}
