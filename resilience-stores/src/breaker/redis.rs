//! Shared breaker states in Redis: a hash of votes and a sorted set of members per breaker name.

use std::time::Duration;

use redis::{Client, Cmd, RedisResult, pipe};

use super::shared_state::{ProcessId, SharedState, Vote, VoteId, VoteState, Votes};
use crate::db_time::whole_millis;
use crate::own_connection::RedisConnection;

/// Shared breaker states in Redis 5 or later, or Valkey.
///
/// A hash per breaker name holds a vote per process. A sorted set holds the members, with the time
/// of their last read. Every operation is a script, which uses the clock of the server, so the
/// clocks of the processes do not matter.
///
/// `RedisState` connects through the [`Client`] at the first call, and reconnects after any
/// failure.
#[derive(Debug)]
pub struct RedisState {
    connection: RedisConnection,
    prefix: String,
}

/// Milliseconds of the server, as a string: Lua would shorten a large number.
const NOW: &str = "local time = redis.call('TIME') \
                   local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)) ";

/// Writes the vote `word:id:length:end` of a process.
const VOTE: &str = "local finish = string.format('%.0f', now + ARGV[3]) \
                    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. ARGV[3] .. ':' .. finish) \
                    local keep = string.format('%.0f', ARGV[3] + ARGV[4]) \
                    if redis.call('PTTL', KEYS[1]) < tonumber(keep) then \
                    redis.call('PEXPIRE', KEYS[1], keep) end";

/// Returns the number of members, then process, `word:id` and remaining time of each vote. Members
/// with a time in the future, and remaining times above the length, come from a clock that went
/// back. A vote in another format is ignored.
const READ: &str = "redis.call('ZREMRANGEBYSCORE', KEYS[2], '(' .. now, '+inf') \
                    redis.call('ZADD', KEYS[2], now, ARGV[1]) \
                    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - ARGV[2])) \
                    redis.call('PEXPIRE', KEYS[2], ARGV[2]) \
                    local found = {redis.call('ZCARD', KEYS[2])} \
                    local votes = redis.call('HGETALL', KEYS[1]) \
                    for i = 1, #votes, 2 do \
                    local head, length, finish = string.match(votes[i + 1], '^(%a+:%x+):(%d+):(%d+)$') \
                    if head then \
                    local left = math.min(finish - now, tonumber(length)) \
                    if left + ARGV[3] <= 0 then redis.call('HDEL', KEYS[1], votes[i]) else \
                    found[#found + 1] = votes[i] found[#found + 1] = head \
                    found[#found + 1] = string.format('%.0f', math.max(left, 0)) end end end \
                    return found";

impl RedisState {
    /// Creates a shared state on the server of the client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        let connection = RedisConnection::new(client);
        Self { connection, prefix: "{resilience}:breaker:".to_owned() }
    }

    /// Sets the prefix of the keys. Default: `{resilience}:breaker:`. The braces keep all keys on
    /// one node of a cluster. The keys are `<prefix>votes:<name>` and `<prefix>members:<name>`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    fn votes_key(&self, name: &str) -> String {
        format!("{}votes:{name}", self.prefix)
    }

    fn members_key(&self, name: &str) -> String {
        format!("{}members:{name}", self.prefix)
    }
}

impl SharedState for RedisState {
    type Error = redis::RedisError;

    async fn vote(&mut self, name: &str, process: ProcessId, vote: Vote) -> RedisResult<()> {
        let (word, length) = match vote.state {
            VoteState::Open(left) => ("open", whole_millis(left)),
            VoteState::Closed => ("closed", 0),
        };
        let mut command = eval(VOTE);
        command.arg(1).arg(self.votes_key(name));
        command.arg(hex(process.0)).arg(format!("{word}:{}", hex(vote.id.0)));
        command.arg(length).arg(whole_millis(Self::RETENTION));
        self.connection.query(pipe().add_command(command).ignore()).await
    }

    async fn read(&mut self, process: ProcessId, names: &[&str]) -> RedisResult<Vec<Votes>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut commands = pipe();
        for name in names {
            let mut command = eval(READ);
            command.arg(2).arg(self.votes_key(name)).arg(self.members_key(name));
            command.arg(hex(process.0)).arg(whole_millis(Self::MEMBERSHIP));
            commands.add_command(command.arg(whole_millis(Self::RETENTION)).to_owned());
        }
        let answers: Vec<redis::Value> = self.connection.query(&commands).await?;
        answers.into_iter().map(votes).collect()
    }
}

fn eval(script: &str) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(format!("{NOW}{script}"));
    command
}

fn hex(bits: u64) -> String {
    format!("{bits:x}")
}

/// Parses an answer of [`READ`].
fn votes(answer: redis::Value) -> RedisResult<Votes> {
    let mut values: Vec<redis::Value> = redis::from_redis_value(answer)?;
    let parts = values.split_off(values.len().min(1));
    let members = values.pop().map_or(Ok(0), redis::from_redis_value)?;
    let parts: Vec<(String, String, u64)> = redis::from_redis_value(redis::Value::Array(parts))?;
    let votes = parts.iter().filter_map(|(process, head, left)| vote(process, head, *left));
    Ok(Votes { members, votes: votes.collect() })
}

/// Parses a vote; `None` for a vote in another format.
fn vote(process: &str, head: &str, left: u64) -> Option<(ProcessId, Vote)> {
    let bits = |text: &str| u64::from_str_radix(text, 16).ok();
    let (word, id) = head.split_once(':')?;
    let state = match word {
        "open" => VoteState::Open(Duration::from_millis(left)),
        "closed" => VoteState::Closed,
        _ => return None,
    };
    Some((ProcessId(bits(process)?), Vote { id: VoteId(bits(id)?), state }))
}
