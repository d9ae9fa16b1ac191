//! A board in Redis: a key for each name, which expires.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, Pipeline, RedisResult, pipe};

use super::board::{EntryId, RemoteState, SharedEntry, SharedState};
use crate::millis::whole_millis;

/// A board in Redis.
///
/// Under each name stands one short text, `open:` or `closed:` with the [`EntryId`], that expires. The time that
/// is left of an opening is that of the key, so that nobody's clock matters.
///
/// It connects when it is first asked, and again after any failure, by the [`Client`] it was made with.
#[derive(Debug)]
pub struct RedisState {
    client: Client,
    prefix: String,
    /// Taken out while it is used: one that has failed, or whose user was dropped, does not come back.
    connection: Option<MultiplexedConnection>,
}

/// One step: who has opened it meanwhile, or closed it, is not written over.
const CLOSE: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
                     redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1";

impl RedisState {
    /// A board on the server of this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, prefix: "{resilience}:breaker:".to_owned(), connection: None }
    }

    /// What the keys begin with. Default: `{resilience}:breaker:`, of which the braces keep all of them on
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
        // How long an answer is waited for is said by the exchange.
        let config = AsyncConnectionConfig::new();
        let config = config.set_connection_timeout(None).set_response_timeout(None);
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    async fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        let mut connection = self.connection().await?;
        let answer = command.query_async(&mut connection).await?;
        self.connection = Some(connection);
        Ok(answer)
    }

    async fn ask_all<T: FromRedisValue>(&mut self, commands: &Pipeline) -> RedisResult<T> {
        let mut connection = self.connection().await?;
        let answer = commands.query_async(&mut connection).await?;
        self.connection = Some(connection);
        Ok(answer)
    }
}

impl SharedState for RedisState {
    type Error = redis::RedisError;

    async fn open(&mut self, name: &str, tag: EntryId, left: Duration) -> RedisResult<()> {
        let time = whole_millis(left.saturating_add(Self::KEPT));
        let key = self.key(name);
        self.ask(redis::cmd("SET").arg(key).arg(open(tag)).arg("PX").arg(time)).await
    }

    async fn close(&mut self, name: &str, opening: EntryId, tag: EntryId) -> RedisResult<bool> {
        let key = self.key(name);
        let mut command = redis::cmd("EVAL");
        command.arg(CLOSE).arg(1).arg(key).arg(open(opening)).arg(closed(tag));
        self.ask(command.arg(whole_millis(Self::KEPT))).await
    }

    async fn read(&mut self, names: &[&str]) -> RedisResult<Vec<Option<SharedEntry>>> {
        let mut commands = pipe();
        // A text and its time belong together.
        commands.atomic();
        for name in names {
            let key = self.key(name);
            commands.cmd("GET").arg(&key).cmd("PTTL").arg(key);
        }
        let found: Vec<(Option<String>, i64)> = self.ask_all(&commands).await?;
        Ok(found.into_iter().map(|(text, time)| entry(&text?, time, Self::KEPT)).collect())
    }
}

fn open(tag: EntryId) -> String {
    format!("open:{:x}", tag.0)
}

fn closed(tag: EntryId) -> String {
    format!("closed:{:x}", tag.0)
}

/// None for a text that is not ours.
fn entry(text: &str, time: i64, kept: Duration) -> Option<SharedEntry> {
    let (word, tag) = text.split_once(':')?;
    let tag = EntryId(u64::from_str_radix(tag, 16).ok()?);
    let time = Duration::from_millis(u64::try_from(time).unwrap_or(0));
    let stand = match word {
        "open" => RemoteState::Open(time.saturating_sub(kept)),
        "closed" => RemoteState::Closed,
        _ => return None,
    };
    Some(SharedEntry { tag, stand })
}
