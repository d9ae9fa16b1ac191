//! Shared breaker states in Redis: one expiring key per breaker name.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, Pipeline, RedisResult, pipe};

use super::shared_state::{EntryId, RemoteState, SharedEntry, SharedState};
use crate::db_time::whole_millis;

/// Shared breaker states in Redis.
///
/// The value of a key is `open:` or `closed:` with the [`EntryId`]. The expiry of the key encodes
/// the remaining open time, so the clocks of the processes do not matter.
///
/// `RedisState` connects through the [`Client`] at the first call, and reconnects after any
/// failure.
#[derive(Debug)]
pub struct RedisState {
    client: Client,
    prefix: String,
    /// Taken during a call. After a failed or dropped call the connection is not reused.
    connection: Option<MultiplexedConnection>,
}

/// Compares and writes in one step, so that a newer entry is never overwritten.
const CLOSE: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
                     redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1";

impl RedisState {
    /// Creates a shared state on the server of the client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, prefix: "{resilience}:breaker:".to_owned(), connection: None }
    }

    /// Sets the prefix of the keys. Default: `{resilience}:breaker:`. The braces keep all keys on
    /// one node of a cluster.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn connection(&mut self) -> RedisResult<MultiplexedConnection> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        // `BreakerSync` limits the time of a round.
        let config = AsyncConnectionConfig::new();
        let config = config.set_connection_timeout(None).set_response_timeout(None);
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        let mut connection = self.connection().await?;
        let answer = command.query_async(&mut connection).await?;
        self.connection = Some(connection);
        Ok(answer)
    }

    async fn query_all<T: FromRedisValue>(&mut self, commands: &Pipeline) -> RedisResult<T> {
        let mut connection = self.connection().await?;
        let answer = commands.query_async(&mut connection).await?;
        self.connection = Some(connection);
        Ok(answer)
    }
}

impl SharedState for RedisState {
    type Error = redis::RedisError;

    async fn open(&mut self, name: &str, id: EntryId, left: Duration) -> RedisResult<()> {
        let time = whole_millis(left.saturating_add(Self::RETENTION));
        let key = self.key(name);
        self.query(redis::cmd("SET").arg(key).arg(open(id)).arg("PX").arg(time)).await
    }

    async fn close(&mut self, name: &str, opening: EntryId, id: EntryId) -> RedisResult<bool> {
        let key = self.key(name);
        let mut command = redis::cmd("EVAL");
        command.arg(CLOSE).arg(1).arg(key).arg(open(opening)).arg(closed(id));
        self.query(command.arg(whole_millis(Self::RETENTION))).await
    }

    async fn read(&mut self, names: &[&str]) -> RedisResult<Vec<Option<SharedEntry>>> {
        let mut commands = pipe();
        // One transaction: the value and the expiry must belong together.
        commands.atomic();
        for name in names {
            let key = self.key(name);
            commands.cmd("GET").arg(&key).cmd("PTTL").arg(key);
        }
        let found: Vec<(Option<String>, i64)> = self.query_all(&commands).await?;
        Ok(found.into_iter().map(|(value, time)| entry(&value?, time, Self::RETENTION)).collect())
    }
}

fn open(id: EntryId) -> String {
    format!("open:{:x}", id.0)
}

fn closed(id: EntryId) -> String {
    format!("closed:{:x}", id.0)
}

/// Parses the value of a key; `None` for a value in another format.
fn entry(value: &str, time: i64, retention: Duration) -> Option<SharedEntry> {
    let (word, id) = value.split_once(':')?;
    let id = EntryId(u64::from_str_radix(id, 16).ok()?);
    let time = Duration::from_millis(u64::try_from(time).unwrap_or(0));
    let state = match word {
        "open" => RemoteState::Open(time.saturating_sub(retention)),
        "closed" => RemoteState::Closed,
        _ => return None,
    };
    Some(SharedEntry { id, state })
}
