//! The rounds in which breakers and a board tell each other what is new.

use std::fmt;
use std::time::Duration;

use resilience_core::__internal::{Notified, draw, shared_breakers, sync_lost, sync_restored};
use resilience_core::CircuitBreaker;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::board::SharedState;
use super::link::Link;

/// Carries what shared breakers come to between this process and a [`SharedState`].
///
/// One for a process. It finds the breakers of functions with `#[circuit_breaker(shared = "…")]` by itself,
/// from their first call on; one that was made by hand is handed to it by [`with`](Self::with). Nothing
/// happens until [`run`](Self::run) is polled, and somebody has to spawn it:
///
/// ```no_run
/// # extern crate resilience_stores as stores;
/// # fn start() -> redis::RedisResult<()> {
/// use stores::breaker::{BreakerSync, RedisState};
///
/// let client = redis::Client::open("redis://127.0.0.1/")?;
/// tokio::spawn(BreakerSync::new(RedisState::new(client)).run());
/// # Ok(()) }
/// ```
pub struct BreakerSync<B> {
    board: B,
    interval: Duration,
    error_sources: Vec<Link>,
}

/// How many intervals lie between two rounds at most while rounds fail.
const LONGEST_WAIT: u32 = 10;

impl<B: SharedState> BreakerSync<B> {
    /// An exchange by way of this board, every 500 ms.
    #[must_use]
    pub fn new(board: B) -> Self {
        Self { board, interval: Duration::from_millis(500), error_sources: Vec::new() }
    }

    /// How long it takes at most until this process hears of a decision that another has told: from 10 ms
    /// to an hour. A decision of this process is told at once. Default: 500 ms.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.clamp(Duration::from_millis(10), Duration::from_hours(1));
        self
    }

    /// With this breaker as well, which is [`shared`](CircuitBreaker::shared) and not that of a function:
    /// a handle that others have too, a `&'static CircuitBreaker` or an `Arc<CircuitBreaker>`. One that is
    /// not shared is left alone.
    #[must_use]
    pub fn with(
        mut self,
        breaker: impl AsRef<CircuitBreaker> + Clone + Send + Sync + 'static,
    ) -> Self {
        self.error_sources.extend(Link::new(Box::new(breaker)));
        self
    }

    /// Goes on for ever, and never fails; aborted or dropped, it leaves every breaker as it is.
    ///
    /// A round in which the board fails, or has no answer within two intervals, is told at WARN once, and
    /// tried again after waits that grow to ten intervals. Until then every breaker goes by what it sees
    /// itself. Needs a tokio runtime with time enabled, and for Redis with IO.
    pub async fn run(mut self) {
        let mut failures = 0;
        loop {
            // Before the round: what comes while it runs may be too late for it.
            let (bell, start) = (Notified::new(), Instant::now());
            let error = match timeout(self.patience(), self.round()).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some(format!("no answer within {:?}", self.patience())),
            };
            let Some(error) = error else {
                if std::mem::take(&mut failures) > 0 {
                    sync_restored();
                }
                // Not in step with the others, and never later than the interval.
                let wait = self.interval.mul_f64(1.0 - draw() / 4.0);
                let _ = timeout_at(start + wait, bell).await;
                continue;
            };
            if failures == 0 {
                sync_lost(&error);
            }
            failures = u32::saturating_add(failures, 1);
            sleep(self.wait_after(failures)).await;
        }
    }

    /// How long an answer is waited for, and how much longer than the one who opened it the others leave
    /// it open: long enough to hear of its probe.
    fn patience(&self) -> Duration {
        self.interval.saturating_mul(2)
    }

    /// After so many rounds in a row that failed: 1, 2, 4, … intervals, half of it by chance.
    fn wait_after(&self, failures: u32) -> Duration {
        let doubled = 1_u32.checked_shl(failures - 1).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
        self.interval.saturating_mul(doubled).mul_f64(f64::midpoint(1.0, draw()))
    }

    async fn round(&mut self) -> Result<(), B::Error> {
        for breaker in shared_breakers() {
            if !self.error_sources.iter().any(|link| link.is_of(breaker)) {
                self.error_sources.extend(Link::new(Box::new(breaker)));
            }
        }
        for link in &mut self.error_sources {
            link.tell(&mut self.board).await?;
        }
        if self.error_sources.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = self.error_sources.iter().map(|link| link.name).collect();
        let entries = self.board.read(&names).await?;
        let patience = self.patience();
        for (link, entry) in self.error_sources.iter_mut().zip(entries) {
            if let Some(entry) = entry {
                link.follow(entry, patience);
            }
        }
        Ok(())
    }
}

impl<B> fmt::Debug for BreakerSync<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerSync")
            .field("interval", &self.interval)
            .field("error_sources", &self.error_sources)
            .finish_non_exhaustive()
    }
}
