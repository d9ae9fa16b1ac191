//! The synchronization task: publishes local decisions and applies remote decisions.

use std::fmt;
use std::time::Duration;

use resilience_core::__internal::{Notified, Synchronized, shared_breakers, shared_decisions};
use resilience_core::CircuitBreaker;

use super::quorum::Quorum;
use super::shared_state::{ProcessId, SharedState};
use super::synced_breaker::Round;
use super::synced_name::SyncedName;
use crate::rounds::{self, Rounds, clamp_interval, time_limit};

/// A task that synchronizes the shared breakers of this process with a [`SharedState`].
///
/// A process needs one task. The task finds every function with `#[circuit_breaker(shared = "…")]`
/// from the first call on. Register a breaker made by hand with [`with`](Self::with). The
/// application has to spawn [`run`](Self::run):
///
/// ```no_run
/// # fn start() -> redis::RedisResult<()> {
/// use resilience::stores::breaker::{BreakerSync, RedisState};
///
/// let client = redis::Client::open("redis://127.0.0.1/")?;
/// tokio::spawn(BreakerSync::new(RedisState::new(client)).run());
/// # Ok(()) }
/// ```
pub struct BreakerSync<S> {
    store: S,
    interval: Duration,
    process: ProcessId,
    quorum: Quorum,
    /// The quorums of single names.
    quorums: Vec<(String, Quorum)>,
    names: Vec<SyncedName>,
}

impl<S: SharedState> BreakerSync<S> {
    /// Creates a task that reads the store every 500 ms.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self {
            store,
            interval: Duration::from_millis(500),
            process: ProcessId::random(),
            quorum: Quorum::default(),
            quorums: Vec::new(),
            names: Vec::new(),
        }
    }

    /// Sets the longest time until this process applies a remote decision: from 10 ms to one hour.
    /// Default: 500 ms. The task publishes local decisions immediately.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = clamp_interval(interval);
        self
    }

    /// Sets the number of processes that open all breakers of a name: a number such as `3`, or a
    /// share such as `0.3` of the processes heard of within a minute. Default: [`Quorum::Auto`].
    ///
    /// All processes of a fleet should use the same quorum.
    #[must_use]
    pub fn quorum(mut self, quorum: impl Into<Quorum>) -> Self {
        self.quorum = quorum.into();
        self
    }

    /// Sets the quorum of one shared name, in place of [`quorum`](Self::quorum).
    #[must_use]
    pub fn quorum_for(mut self, name: impl Into<String>, quorum: impl Into<Quorum>) -> Self {
        self.quorums.insert(0, (name.into(), quorum.into()));
        self
    }

    /// Sets a name for this process that survives a restart, such as the name of the host or of the
    /// pod. Default: a random identity.
    ///
    /// Each process of the fleet needs a different name. A process that restarts replaces its vote.
    /// With random identities, a sick process that restarts often has several votes at a time.
    #[must_use]
    pub fn process(mut self, name: &str) -> Self {
        self.process = ProcessId::of(name);
        self
    }

    /// Adds a breaker that belongs to no function: a `&'static CircuitBreaker` or an
    /// `Arc<CircuitBreaker>`. A breaker without [`shared`](CircuitBreaker::shared) is ignored.
    #[must_use]
    pub fn with(
        mut self,
        breaker: impl AsRef<CircuitBreaker> + Clone + Send + Sync + 'static,
    ) -> Self {
        SyncedName::add(&mut self.names, Box::new(breaker));
        self
    }

    /// Runs forever and never fails. Dropping the future leaves every breaker in the current
    /// state.
    ///
    /// A round fails if the store returns an error or does not answer within two intervals. Each
    /// failed round doubles the time limit of the next round, to at most 16 intervals, because a
    /// connection to a distant store takes longer than an answer. The first failed round is logged
    /// at WARN. The delay before the next round grows to ten intervals. Meanwhile every breaker
    /// follows the local outcomes alone. Requires a tokio runtime with time enabled; Redis also
    /// requires IO.
    pub async fn run(self) {
        rounds::run(self).await;
    }
}

impl<S: SharedState> Rounds for BreakerSync<S> {
    const POLICIES: Synchronized = Synchronized::Breakers;
    const MAX_RETRY_INTERVALS: u32 = 10;

    type Error = S::Error;

    fn interval(&self) -> Duration {
        self.interval
    }

    fn listen() -> Notified {
        shared_decisions()
    }

    async fn round(&mut self) -> Result<(), S::Error> {
        for breaker in shared_breakers() {
            if !self.names.iter().any(|name| name.contains(breaker)) {
                SyncedName::add(&mut self.names, Box::new(breaker));
            }
        }
        for name in &mut self.names {
            name.publish(&mut self.store, self.process).await?;
        }
        if self.names.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = self.names.iter().map(|name| name.name).collect();
        let votes = self.store.read(self.process, &names).await?;
        // A remote open state lasts longer here by the time limit of a round, so that the outcome
        // of the first trial call arrives in time.
        let grace = time_limit(self.interval);
        for (name, votes) in self.names.iter_mut().zip(votes) {
            let own = self.quorums.iter().find(|(other, _)| other == name.name);
            let quorum = own.map_or(self.quorum, |(_, quorum)| *quorum);
            let quorum = quorum.of(name.members(votes.members, S::MEMBERSHIP));
            let quorum = usize::try_from(quorum).unwrap_or(usize::MAX);
            name.apply(&votes, Round { process: self.process, quorum, grace });
        }
        Ok(())
    }
}

impl<S> fmt::Debug for BreakerSync<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerSync")
            .field("interval", &self.interval)
            .field("quorum", &self.quorum)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
