//! Simulated processes: a limiter and a synchronization task each.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use resilience::RateLimiter;
use resilience::stores::rate_limit::RateLimitSync;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::memory::{Link, Memory};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const INTERVAL: Duration = Duration::from_millis(500);
/// The length of a lease.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

/// The times of all admitted calls, of all processes.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    start: Instant,
    times: Arc<Mutex<Vec<Duration>>>,
}

impl Calls {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), times: Arc::default() }
    }

    pub(crate) fn add(&self) {
        self.times.lock().unwrap().push(self.start.elapsed());
    }

    /// Returns the number of calls from a time on, for a time.
    pub(crate) fn between(&self, from: Duration, length: Duration) -> usize {
        let times = self.times.lock().unwrap();
        times.iter().filter(|time| **time >= from && **time < from + length).count()
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Returns the largest number of calls above `rate · time`, over all intervals of time.
    pub(crate) fn excess(&self, rate: u32) -> f64 {
        excess(&mut self.times.lock().unwrap().clone(), rate)
    }
}

/// Returns the largest number of calls above `rate · time`, over all intervals of time. A single
/// limiter has at most its burst.
pub(crate) fn excess(times: &mut [Duration], rate: u32) -> f64 {
    times.sort_unstable();
    let first = times.first().copied().unwrap_or_default();
    // The call at `index` is call `index - first + 1` of an interval that starts with call
    // `first`. So the excess is the rise of `index + 1 - due` above the lowest earlier `index -
    // due`.
    let (mut lowest, mut excess) = (f64::MAX, 0.0_f64);
    for (index, time) in times.iter().enumerate() {
        let due = f64::from(rate) * time.saturating_sub(first).as_secs_f64();
        let index = f64::from(u32::try_from(index).unwrap());
        lowest = lowest.min(index - due);
        excess = excess.max(index + 1.0 - due - lowest);
    }
    excess
}

/// A process: a limiter, a synchronization, and callers.
pub(crate) struct Process {
    pub(crate) limiter: Arc<RateLimiter>,
    pub(crate) link: Link,
    sync: JoinHandle<()>,
    callers: Mutex<Vec<JoinHandle<()>>>,
    calls: Calls,
}

impl Process {
    pub(crate) fn start(store: &Memory, limiter: RateLimiter, calls: &Calls) -> Self {
        let limiter = Arc::new(limiter);
        let link = store.link();
        let sync = RateLimitSync::new(link.clone()).with(&limiter);
        Self {
            sync: tokio::spawn(sync.run()),
            limiter,
            link,
            callers: Mutex::default(),
            calls: calls.clone(),
        }
    }

    /// Calls at a steady rate from now on, without waiting.
    pub(crate) fn load(&self, per_second: u32) {
        self.stop();
        let (limiter, calls) = (Arc::clone(&self.limiter), self.calls.clone());
        let caller = tokio::spawn(async move {
            loop {
                if limiter.try_acquire().is_ok() {
                    calls.add();
                }
                sleep(SECOND / per_second).await;
            }
        });
        self.callers.lock().unwrap().push(caller);
    }

    /// Starts a caller that waits for each permit.
    pub(crate) fn wait_in_a_loop(&self) {
        let (limiter, calls) = (Arc::clone(&self.limiter), self.calls.clone());
        let caller = tokio::spawn(async move {
            loop {
                if limiter.acquire().await.is_ok() {
                    calls.add();
                } else {
                    sleep(Duration::from_millis(50)).await;
                }
            }
        });
        self.callers.lock().unwrap().push(caller);
    }

    /// Stops all callers.
    pub(crate) fn stop(&self) {
        self.callers.lock().unwrap().drain(..).for_each(|caller| caller.abort());
    }
}

impl Drop for Process {
    /// As a process that is killed: the lease stays.
    fn drop(&mut self) {
        self.stop();
        self.sync.abort();
    }
}
