//! A hand-written Redis record: two scripts, sent by hash.

use std::fmt::Write;

use redis::aio::MultiplexedConnection;
use redis::{Script, Value};
use resilience::idempotent::RecordKey;

use crate::rounds::Side;

const CLAIM: &str = r"
local t = redis.call('TIME'); local now = t[1]*1000+math.floor(t[2]/1000); local us = t[1]*1000000+t[2]
local r = redis.call('HMGET', KEYS[1], 'st', 'fe', 'ow', 'fp', 'le', 'at', 'oc')
local function take(fence, at)
  redis.call('HSET', KEYS[1], 'st', '1', 'fe', string.format('%.0f', fence), 'ow', ARGV[1], 'fp', ARGV[2],
             'le', string.format('%.0f', now+ARGV[3]), 'at', at)
  redis.call('HDEL', KEYS[1], 'oc')
  redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[4]), tonumber(ARGV[3])))
  return {'claimed', string.format('%.0f', fence), tostring(at)}
end
if not r[1] then return take(us, 1) end
if r[4] ~= ARGV[2] then return {'mismatch'} end
if r[1] == '2' then return {'replay', r[7]} end
if r[1] == '3' then return take(math.max(r[2]+1, us), r[6]+1) end
if r[3] == ARGV[1] then return {'claimed', r[2], r[6]} end
if tonumber(r[5]) > now then return {'inflight', string.format('%.0f', tonumber(r[5])-now)} end
if ARGV[5] == '1' then return take(math.max(r[2]+1, us), r[6]+1) end
return {'unknown'}";

const COMPLETE: &str = r"
local r = redis.call('HMGET', KEYS[1], 'st', 'fe', 'ow')
if r[2] ~= ARGV[2] or r[3] ~= ARGV[1] then return 0 end
if r[1] == '2' then return 1 end
if r[1] ~= '1' then return 0 end
redis.call('HSET', KEYS[1], 'st', '2', 'oc', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1";

#[derive(Clone)]
pub(crate) struct HandRedis {
    connection: MultiplexedConnection,
    claim: Script,
    complete: Script,
}

impl HandRedis {
    pub(crate) fn new(connection: MultiplexedConnection) -> Self {
        Self { connection, claim: Script::new(CLAIM), complete: Script::new(COMPLETE) }
    }

    /// Returns the state of the record, and the fence or the outcome.
    async fn ask(&self, key: &RecordKey) -> (Vec<u8>, Vec<u8>) {
        let mut connection = self.connection.clone();
        let mut claim = self.claim.key(name(key));
        claim.arg(&OWNER).arg(&key.0).arg(30_000).arg(86_400_000).arg(1);
        let answer: Vec<Value> = claim.invoke_async(&mut connection).await.unwrap();
        let mut words = answer.into_iter();
        let (Some(Value::BulkString(word)), Some(Value::BulkString(value))) =
            (words.next(), words.next())
        else {
            panic!("two words")
        };
        (word, value)
    }
}

const OWNER: [u8; 16] = [1; 16];

impl Side for HandRedis {
    async fn claim(&self, key: &RecordKey) -> u64 {
        let (word, fence) = self.ask(key).await;
        assert_eq!(word, b"claimed");
        std::str::from_utf8(&fence).unwrap().parse().unwrap()
    }

    async fn complete(&self, key: &RecordKey, fence: u64, outcome: &[u8]) {
        let mut connection = self.connection.clone();
        let mut complete = self.complete.key(name(key));
        complete.arg(&OWNER).arg(fence).arg(outcome).arg(86_400_000);
        assert!(complete.invoke_async::<bool>(&mut connection).await.unwrap());
    }

    async fn replay(&self, key: &RecordKey) -> usize {
        let (word, outcome) = self.ask(key).await;
        assert_eq!(word, b"replay");
        outcome.len()
    }
}

fn name(key: &RecordKey) -> String {
    key.0.iter().fold(String::from("by-hand:"), |mut name, byte| {
        let _ = write!(name, "{byte:02x}");
        name
    })
}
