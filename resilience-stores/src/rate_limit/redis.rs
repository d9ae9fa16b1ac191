//! Leases in Redis: a hash per rate.

use redis::{Client, RedisResult, pipe};

use super::lease_store::{Lease, LeaseRequest, LeaseStore, Share};
use crate::db_time::whole_millis;
use crate::own_connection::RedisConnection;

/// Leases in Redis 5 or later, or Valkey.
///
/// A hash per rate holds a lease per member. Every exchange is a script, which uses the clock of
/// the server, so the clocks of the processes do not matter. The server has to be the primary.
///
/// `RedisLeases` connects through the [`Client`] at the first call, and reconnects after any
/// failure.
#[derive(Debug)]
pub struct RedisLeases {
    connection: RedisConnection,
    prefix: String,
}

/// The lease of a member is `share:demand:start:end`. A lease that starts in the future comes from
/// a clock that went back, and does not count. Lua formats large numbers with an exponent, so
/// times are formatted explicitly.
const LEASE: &str = "local time = redis.call('TIME') \
                     local now = time[1] * 1000 + math.floor(time[2] / 1000) \
                     local free = tonumber(ARGV[5]) \
                     local answer = {0} \
                     local leases = redis.call('HGETALL', KEYS[1]) \
                     for i = 1, #leases, 2 do \
                     local share, demand, start, finish = \
                     string.match(leases[i + 1], '^(%d+):(%d+):(%d+):(%d+)$') \
                     if leases[i] ~= ARGV[1] then \
                     if share and tonumber(start) <= now and tonumber(finish) > now then \
                     free = free - share answer[#answer + 1] = tonumber(demand) else \
                     redis.call('HDEL', KEYS[1], leases[i]) end end end \
                     local share = math.max(0, math.min(tonumber(ARGV[3]), free)) \
                     redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f:%s:%.0f:%.0f', \
                     share, ARGV[2], now, now + ARGV[4])) \
                     if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then \
                     redis.call('PEXPIRE', KEYS[1], ARGV[4]) end \
                     answer[1] = share \
                     return answer";

impl RedisLeases {
    /// Creates a store on the server of the client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        let connection = RedisConnection::new(client);
        Self { connection, prefix: "{resilience}:rate_limit:".to_owned() }
    }

    /// Sets the prefix of the keys. Default: `{resilience}:rate_limit:`. The braces keep all keys
    /// on one node of a cluster. The key of a rate is `<prefix><name>`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }
}

impl LeaseStore for RedisLeases {
    type Error = redis::RedisError;

    async fn lease(&mut self, name: &str, request: LeaseRequest) -> RedisResult<Lease> {
        let LeaseRequest { member, demand, wanted, length } = request;
        let mut command = redis::cmd("EVAL");
        command.arg(LEASE).arg(1).arg(format!("{}{name}", self.prefix));
        command.arg(format!("{:x}", member.0)).arg(demand.billionths()).arg(wanted.billionths());
        command.arg(whole_millis(length).max(1)).arg(Share::WHOLE.billionths());
        let (answer,): (Vec<u32>,) = self.connection.query(pipe().add_command(command)).await?;
        let mut shares = answer.into_iter().map(Share::from_billionths);
        Ok(Lease { granted: shares.next().unwrap_or_default(), others: shares.collect() })
    }
}
