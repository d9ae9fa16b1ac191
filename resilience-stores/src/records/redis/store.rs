//! The Redis store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{RedisError, Value};
use resilience_idempotency::{
    Capabilities, Claim, ClaimRequest, Interrupted, RecordKey, Store, StoreError, StoreId,
    StoreResult, Takeover, Token, WriteOutcome,
};

use super::answer::{self, store_error};
use super::demotion::{ConnectionNumber, Demotions};
use super::script::{self, Replicas, Script};
use crate::db_time::millis;

const CAPS: Capabilities =
    Capabilities::new().durable(true).shared(true).max_outcome(512 * 1024 * 1024);

/// A store of idempotency records in Redis 5 or later, or in Valkey.
///
/// All machines share the records. The durability depends on the settings of the server:
/// [`check`](Self::check) reports unsafe settings, and the guide describes the possible losses.
///
/// Each record is a hash. Each step is a script that the server executes atomically, by the clock
/// of the server. Redis deletes expired records.
///
/// The store uses any connection that is [`ConnectionLike`] and [`Clone`]: a `ConnectionManager`,
/// a `MultiplexedConnection`, or a cluster connection. Each step clones the connection, so do not
/// send blocking commands (`BLPOP`) over the same connection. Clones of the store share the
/// records.
///
/// After a failover the old primary answers `READONLY`. The store then closes the connection of a
/// `ConnectionManager`, and the manager connects to the new primary. No other connection type
/// reconnects by itself, so use a `ConnectionManager` for a server with replicas. The client keeps
/// a connection without answers until TCP gives up; the guide shows the settings of this time.
///
/// ```no_run
/// # async fn open() -> redis::RedisResult<()> {
/// use resilience::stores::RedisStore;
///
/// let client = redis::Client::open("redis://127.0.0.1")?;
/// let store = RedisStore::new(client.get_connection_manager().await?);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisStore<C> {
    pub(super) connection: C,
    pub(super) prefix: Arc<str>,
    pub(super) replicas: Option<Replicas>,
    demotions: Demotions,
    id: StoreId,
}

impl<C> RedisStore<C> {
    /// Creates a store over the connection, with the prefix `resilience:idem:`.
    #[must_use]
    pub fn new(connection: C) -> Self {
        let prefix = Arc::from("resilience:idem:");
        let demotions = Demotions::default();
        Self { connection, prefix, replicas: None, demotions, id: StoreId::new() }
    }

    /// Sets the prefix of the Redis keys. Default: `resilience:idem:`.
    ///
    /// The record key follows in hexadecimal, in braces, so that a cluster distributes the
    /// records. A prefix with braces would keep all records on one server.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<Arc<str>>) -> Self {
        // Another prefix means other records, so the store gets a new id.
        Self { prefix: prefix.into(), id: StoreId::new(), ..self }
    }

    /// Waits until `count` replicas have acknowledged a claim before the function runs, and an
    /// outcome before the outcome counts as stored. The step fails after `within`. Default: no
    /// wait; a failover may lose the most recent writes.
    ///
    /// Choose a time well below the `store_timeout` of the calls and the timeout of the client.
    /// During the wait the server answers no other command of the connection, so give the store a
    /// separate connection.
    #[must_use]
    pub fn wait_replicas(self, count: u32, within: Duration) -> Self {
        Self { replicas: Some(Replicas { count, within }), ..self }
    }

    /// Returns the connection, for use by the application.
    #[must_use]
    pub fn connection(&self) -> &C {
        &self.connection
    }

    pub(super) fn name(&self, key: &RecordKey) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut name = String::with_capacity(self.prefix.len() + 66);
        name.push_str(&self.prefix);
        name.push('{');
        for byte in key.0 {
            name.extend([byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
        }
        name.push('}');
        name
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    async fn run(&self, script: &Script, key: &RecordKey, with: &[&[u8]]) -> StoreResult<Value> {
        let (mut connection, name) = (self.connection.clone(), self.name(key));
        let number = self.demotions.current();
        match script.run(&mut connection, &name, with).await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.failed(&mut connection, number, error).await),
        }
    }

    /// Leaves a demoted primary, and returns the error of the store.
    async fn failed(
        &self,
        connection: &mut C,
        number: ConnectionNumber,
        error: RedisError,
    ) -> StoreError {
        self.demotions.leave(connection, number, &error).await;
        store_error(error)
    }

    /// Executes a script and waits for the replicas if `is_write` accepts the reply.
    async fn run_replicated<T>(
        &self,
        script: &Script,
        key: &RecordKey,
        with: &[&[u8]],
        read: impl FnOnce(Value) -> StoreResult<T>,
        is_write: impl FnOnce(&T) -> bool,
    ) -> StoreResult<T> {
        let Some(replicas) = self.replicas else { return read(self.run(script, key, with).await?) };
        let (mut connection, name) = (self.connection.clone(), self.name(key));
        let number = self.demotions.current();
        let replies = script.run_and_wait(&mut connection, &name, with, replicas).await;
        let (answer, copies) = match replies {
            Ok(replies) => replies,
            Err(error) => return Err(self.failed(&mut connection, number, error).await),
        };
        let answer = read(answer)?;
        match copies {
            _ if !is_write(&answer) => Ok(answer),
            Value::Int(copies) if copies >= i64::from(replicas.count) => Ok(answer),
            _ => Err(StoreError::unavailable("too few replicas acknowledged the write in time")),
        }
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Store for RedisStore<C> {
    async fn claim(&self, request: ClaimRequest<'_>) -> StoreResult<Claim> {
        let takes_over: &[u8] = if request.takeover == Takeover::Rerun { b"1" } else { b"0" };
        let (lease, retention) = (millis_text(request.lease), millis_text(request.retention));
        let with: [&[u8]; 6] = [
            &request.owner.to_be_bytes(),
            &request.fingerprint.0,
            lease.as_bytes(),
            retention.as_bytes(),
            takes_over,
            request.label.as_bytes(),
        ];
        let read = |answer| answer::claim(answer, &request);
        let is_write = |claim: &Claim| matches!(claim, Claim::Acquired { .. });
        self.run_replicated(&script::CLAIM, request.key, &with, read, is_write).await
    }

    async fn renew(
        &self,
        key: &RecordKey,
        token: Token,
        lease: Duration,
    ) -> StoreResult<WriteOutcome> {
        let ((owner, fence), lease) = (token_args(token), millis_text(lease));
        let with: [&[u8]; 3] = [&owner, fence.as_bytes(), lease.as_bytes()];
        answer::write(&self.run(&script::RENEW, key, &with).await?)
    }

    async fn complete(
        &self,
        key: &RecordKey,
        token: Token,
        outcome: &[u8],
        retention: Duration,
    ) -> StoreResult<WriteOutcome> {
        let ((owner, fence), retention) = (token_args(token), millis_text(retention));
        let with: [&[u8]; 4] = [&owner, fence.as_bytes(), outcome, retention.as_bytes()];
        let read = |answer| answer::write(&answer);
        let is_write = |write: &WriteOutcome| *write == WriteOutcome::Applied;
        self.run_replicated(&script::COMPLETE, key, &with, read, is_write).await
    }

    async fn release(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        let (owner, fence) = token_args(token);
        answer::write(&self.run(&script::RELEASE, key, &[&owner, fence.as_bytes()]).await?)
    }

    async fn abandon(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        let (owner, fence) = token_args(token);
        answer::write(&self.run(&script::ABANDON, key, &[&owner, fence.as_bytes()]).await?)
    }

    /// Does nothing: Redis deletes expired records.
    async fn purge(&self, _limit: usize) -> StoreResult<usize> {
        Ok(0)
    }

    async fn forget(&self, key: &RecordKey) -> StoreResult<bool> {
        let mut connection = self.connection.clone();
        let mut delete = redis::cmd("DEL");
        let number = self.demotions.current();
        match delete.arg(self.name(key)).query_async(&mut connection).await {
            Ok(answer) => answer::flag(&answer),
            Err(error) => Err(self.failed(&mut connection, number, error).await),
        }
    }

    /// Scans all keys of the database, some hundreds per command, until `limit` claims are found.
    /// Meant for manual use and for background jobs.
    ///
    /// A cluster connection fails, because the connection does not reveal the scanned server.
    /// Create a store for each server of the cluster instead.
    async fn interrupted(&self, limit: usize) -> StoreResult<Vec<Interrupted>> {
        self.find_interrupted(limit).await
    }

    fn caps(&self) -> Capabilities {
        CAPS
    }

    fn id(&self) -> StoreId {
        self.id
    }
}

fn token_args(token: Token) -> ([u8; 16], String) {
    (token.owner.to_be_bytes(), token.fence.to_string())
}

/// Formats a time in milliseconds.
fn millis_text(time: Duration) -> String {
    millis(time).to_string()
}

impl<C> fmt::Debug for RedisStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .field("replicas", &self.replicas)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
