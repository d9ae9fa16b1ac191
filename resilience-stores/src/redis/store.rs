//! Idempotency records in Redis.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use redis::aio::ConnectionLike;
use resilience_idempotency::{
    Capabilities, Claim, ClaimRequest, Interrupted, RecordKey, Store, StoreError, StoreId,
    StoreResult, Takeover, Token, WriteOutcome,
};

use super::answer::{self, trouble};
use super::script::{self, Replicas, Script};
use crate::millis::millis;

const CAPS: Capabilities =
    Capabilities::new().durable(true).shared(true).max_outcome(512 * 1024 * 1024);

/// Idempotency records in Redis 5 or later, or in Valkey: shared by all machines, and as safe as the server is
/// set up to be. [`check`](Self::check) says what it finds, and the guide what can be lost.
///
/// Each record is a hash, and each step a script that the server runs as a whole, by its own clock. Redis
/// drops what has expired by itself.
///
/// It goes over the connection that you have: a `ConnectionManager`, a `MultiplexedConnection` or a connection
/// to a cluster, which have no more in common than that they are [`ConnectionLike`] and handles, to be cloned. It is
/// cloned for each step, so it should not be one that others block (`BLPOP`). A handle, to be cloned.
///
/// ```no_run
/// # extern crate resilience_stores as stores;
/// # async fn open() -> redis::RedisResult<()> {
/// let client = redis::Client::open("redis://127.0.0.1")?;
/// let store = stores::RedisStore::new(client.get_multiplexed_async_connection().await?);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisStore<C> {
    pub(super) connection: C,
    pub(super) prefix: Arc<str>,
    pub(super) replicas: Option<Replicas>,
    id: StoreId,
}

impl<C> RedisStore<C> {
    /// The records behind this connection, under `resilience:idem:`.
    #[must_use]
    pub fn new(connection: C) -> Self {
        let prefix = Arc::from("resilience:idem:");
        Self { connection, prefix, replicas: None, id: StoreId::new() }
    }

    /// What the names of the keys begin with. Default: `resilience:idem:`. What follows is the record's key in
    /// hexadecimal, in braces, so that a cluster spreads the records; a prefix with braces of its own
    /// would keep them all on one server.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<Arc<str>>) -> Self {
        // Other records, and so another store.
        Self { prefix: prefix.into(), id: StoreId::new(), ..self }
    }

    /// WaitMode for so many replicas to have heard of a claim before the function runs, and of an outcome before
    /// it counts as stored; where they have not after this time, the step has failed. Default: none, and a
    /// failover may forget what was just written.
    ///
    /// The time should be well below the `store_timeout` of the calls and the client's own. Meanwhile the
    /// server answers nothing else that comes over the connection, so give the store one of its own.
    #[must_use]
    pub fn wait_replicas(self, count: u32, within: Duration) -> Self {
        Self { replicas: Some(Replicas { count, within }), ..self }
    }

    /// The connection, for the rest of the application.
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
        script.run(&mut connection, &name, with).await.map_err(trouble)
    }

    /// What is to be kept, with as many copies as are asked for. `is_kept` says whether there was a write.
    async fn keep<T>(
        &self,
        script: &Script,
        key: &RecordKey,
        with: &[&[u8]],
        read: impl FnOnce(Value) -> StoreResult<T>,
        is_kept: impl FnOnce(&T) -> bool,
    ) -> StoreResult<T> {
        let Some(replicas) = self.replicas else { return read(self.run(script, key, with).await?) };
        let (mut connection, name) = (self.connection.clone(), self.name(key));
        let answers = script.run_and_wait(&mut connection, &name, with, replicas);
        let (answer, copies) = answers.await.map_err(trouble)?;
        let answer = read(answer)?;
        match copies {
            _ if !is_kept(&answer) => Ok(answer),
            Value::Int(copies) if copies >= i64::from(replicas.count) => Ok(answer),
            _ => Err(StoreError::unavailable("too few replicas have heard of it in time")),
        }
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Store for RedisStore<C> {
    async fn claim(&self, request: ClaimRequest<'_>) -> StoreResult<Claim> {
        let takes_over: &[u8] = if request.takeover == Takeover::Rerun { b"1" } else { b"0" };
        let (lease, retention) = (text(request.lease), text(request.retention));
        let with: [&[u8]; 6] = [
            &request.owner.to_be_bytes(),
            &request.fingerprint.0,
            lease.as_bytes(),
            retention.as_bytes(),
            takes_over,
            request.label.as_bytes(),
        ];
        let read = |answer| answer::claim(answer, &request);
        let is_kept = |claim: &Claim| matches!(claim, Claim::Acquired { .. });
        self.keep(&script::CLAIM, request.key, &with, read, is_kept).await
    }

    async fn renew(
        &self,
        key: &RecordKey,
        token: Token,
        lease: Duration,
    ) -> StoreResult<WriteOutcome> {
        let ((owner, fence), lease) = (words(token), text(lease));
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
        let ((owner, fence), retention) = (words(token), text(retention));
        let with: [&[u8]; 4] = [&owner, fence.as_bytes(), outcome, retention.as_bytes()];
        let read = |answer| answer::write(&answer);
        let is_kept = |write: &WriteOutcome| *write == WriteOutcome::Applied;
        self.keep(&script::COMPLETE, key, &with, read, is_kept).await
    }

    async fn release(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        let (owner, fence) = words(token);
        answer::write(&self.run(&script::RELEASE, key, &[&owner, fence.as_bytes()]).await?)
    }

    async fn abandon(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        let (owner, fence) = words(token);
        answer::write(&self.run(&script::ABANDON, key, &[&owner, fence.as_bytes()]).await?)
    }

    /// Nothing: Redis drops by itself what has expired.
    async fn purge(&self, _limit: usize) -> StoreResult<usize> {
        Ok(0)
    }

    async fn forget(&self, key: &RecordKey) -> StoreResult<bool> {
        let mut connection = self.connection.clone();
        let mut forget = redis::cmd("DEL");
        let answer = forget.arg(self.name(key)).query_async(&mut connection).await;
        answer::yes(&answer.map_err(trouble)?)
    }

    /// Looks at every key of the database, some hundreds at a time, until there are enough: for people, and for
    /// a job that is not in a hurry. Not over a connection to a cluster, which does not say which of its
    /// servers has searched: make a store for each of them, with a connection to it.
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

fn words(token: Token) -> ([u8; 16], String) {
    (token.owner.to_be_bytes(), token.fence.to_string())
}

/// In milliseconds.
fn text(time: Duration) -> String {
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
