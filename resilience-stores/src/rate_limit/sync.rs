//! The synchronization task: leases shares of rates and renews the leases.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use resilience_core::__internal::{
    Defined, Notified, RateShare, Synchronized, rate_share_requests, rate_shares,
};
use resilience_core::RateLimiter;

use super::answer_limit::AnswerLimit;
use super::lease_store::LeaseStore;
use super::leased_rate::{LeasedRate, Timing};
use crate::rounds::{self, Rounds, clamp_interval};

/// The length of a lease, in intervals. Between two renewals a round may fail.
const LEASE_INTERVALS: u32 = 4;

/// The length of the longest lease from a slow store, in intervals.
const LONGEST_LEASE_INTERVALS: u32 = 64;

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
    answer_limit: AnswerLimit,
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
        let answer_limit = AnswerLimit::new(interval);
        Self { store, interval, answer_limit, processes: 1, with: Vec::new(), rates: Vec::new() }
    }

    /// Sets the longest time between two renewals: from 10 ms to one hour. Default: 500 ms.
    ///
    /// A lease lasts for four intervals, so the share of a process that has crashed is free after
    /// four intervals.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = clamp_interval(interval);
        self.answer_limit = AnswerLimit::new(self.interval);
        self
    }

    /// Sets the expected number of limiters with the same name in all processes. Default: 1.
    ///
    /// The number counts only if the store was never reached since the start of the process: a
    /// limiter then uses the rate divided by the number, with the default the whole rate. Zero
    /// counts as 1.
    #[must_use]
    pub fn processes(mut self, processes: u32) -> Self {
        self.processes = processes.max(1);
        self
    }

    /// Adds a limiter before its first use, for a process with several tasks and stores: also a
    /// limiter from a [`Keyed`](resilience_core::Keyed) table. A limiter that is not
    /// [`shared`](RateLimiter::shared), or that another task has, is ignored.
    #[must_use]
    pub fn with<D: Defined>(mut self, limiter: impl AsRef<RateLimiter<D>>) -> Self {
        self.with.extend(limiter.as_ref().claim_share());
        self
    }

    /// Runs forever and never fails. Dropping the future ends the leases: each limiter continues
    /// with an equal share after the end of its lease.
    ///
    /// A round fails if the store returns an error or does not answer in time: within two
    /// intervals, or within four times the time of its last answer, at most 16 intervals. The
    /// first failed round is logged at WARN. The delay before the next round grows to four
    /// intervals. Meanwhile each limiter uses its lease, and then the rate divided by the number
    /// of members at the last exchange. Requires a tokio runtime with time enabled; Redis also
    /// requires IO.
    pub async fn run(self) {
        rounds::run(self).await;
    }

    fn timing(&self) -> Timing {
        let interval = self.interval;
        let longest_delay = interval.saturating_mul(Self::MAX_RETRY_INTERVALS);
        Timing {
            interval,
            first_answer: AnswerLimit::longest(interval),
            lease: interval.saturating_mul(LEASE_INTERVALS),
            longest_lease: interval.saturating_mul(LONGEST_LEASE_INTERVALS),
            returning: longest_delay.saturating_add(self.answer_limit.longest_of_others()),
        }
    }

    /// Takes over the limiters that were called since the last time.
    fn find_limiters(&mut self) {
        let timing = self.timing();
        let new = self.with.drain(..).chain(rate_shares());
        self.rates.extend(new.map(|share| LeasedRate::new(share, self.processes, timing)));
    }
}

impl<S: LeaseStore> Rounds for RateLimitSync<S> {
    const POLICIES: Synchronized = Synchronized::RateLimits;
    const MAX_RETRY_INTERVALS: u32 = LEASE_INTERVALS;

    type Error = String;

    fn interval(&self) -> Duration {
        self.interval
    }

    fn listen() -> Notified {
        rate_share_requests()
    }

    /// Each request has a limit of its own.
    fn limit(&self) -> Option<Duration> {
        None
    }

    async fn round(&mut self) -> Result<(), String> {
        self.rates.retain(LeasedRate::is_in_use);
        self.find_limiters();
        for _ in 0..self.rates.len() {
            // After a failed round the next round starts with the following limiter.
            self.rates.rotate_left(1);
            let timing = self.timing();
            self.rates.iter_mut().for_each(|rate| rate.await_turn(timing));
            let Some(rate) = self.rates.last_mut() else { break };
            rate.exchange(&mut self.store, &mut self.answer_limit, timing).await?;
            self.find_limiters();
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
        self.find_limiters();
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
