//! The steps, each of which is a script that the server runs as a whole.

use std::sync::OnceLock;
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};

/// A script for one record.
pub(super) struct Script {
    code: &'static str,
    hash: OnceLock<String>,
}

/// A script of these files, one after the other.
macro_rules! script {
    ($($name:literal),+) => {
        Script {
            code: concat!($(include_str!(concat!("scripts/", $name, ".lua"))),+),
            hash: OnceLock::new(),
        }
    };
}

pub(super) static CLAIM: Script = script!("record", "replay", "clock", "claim");
pub(super) static RENEW: Script = script!("record", "clock", "token", "renew");
pub(super) static COMPLETE: Script = script!("record", "token", "complete");
pub(super) static RELEASE: Script = script!("record", "token", "release");
pub(super) static ABANDON: Script = script!("record", "token", "abandon");
pub(super) static INTERRUPTED: Script = script!("record", "clock", "interrupted");

/// How many replicas have to have what was written, and for how long they are waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replicas {
    pub(super) count: u32,
    pub(super) within: Duration,
}

impl Script {
    /// Its answer.
    pub(super) async fn run<C: ConnectionLike>(
        &self,
        connection: &mut C,
        key: &str,
        arguments: &[&[u8]],
    ) -> RedisResult<Value> {
        match self.by_hash(key, arguments).query_async(connection).await {
            Err(error) if is_unknown(&error) => {
                self.by_code(key, arguments).query_async(connection).await
            }
            answer => answer,
        }
    }

    /// Its answer, and how many replicas have heard of all that the server had written by then: also of what is
    /// only found, such as a claim whose answer was lost.
    ///
    /// Both go out in one piece. On a connection that the client makes anew in between, a WAIT would be the
    /// first command, and wait for nothing.
    pub(super) async fn run_and_wait<C: ConnectionLike>(
        &self,
        connection: &mut C,
        key: &str,
        arguments: &[&[u8]],
        replicas: Replicas,
    ) -> RedisResult<(Value, Value)> {
        match with_wait(connection, self.by_hash(key, arguments), replicas).await {
            Err(error) if is_unknown(&error) => {
                with_wait(connection, self.by_code(key, arguments), replicas).await
            }
            answers => answers,
        }
    }

    pub(super) fn by_hash(&self, key: &str, arguments: &[&[u8]]) -> Cmd {
        let hash = self.hash.get_or_init(|| redis::Script::new(self.code).get_hash().to_owned());
        command("EVALSHA", hash, key, arguments)
    }

    /// What a server knows by its hash from then on. In a cluster this reaches the one server that has the
    /// key, and a SCRIPT LOAD all of them or none.
    pub(super) fn by_code(&self, key: &str, arguments: &[&[u8]]) -> Cmd {
        command("EVAL", self.code, key, arguments)
    }
}

fn command(name: &str, script: &str, key: &str, arguments: &[&[u8]]) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(script).arg(1).arg(key);
    for argument in arguments {
        command.arg(*argument);
    }
    command
}

async fn with_wait<C: ConnectionLike>(
    connection: &mut C,
    step: Cmd,
    replicas: Replicas,
) -> RedisResult<(Value, Value)> {
    // No time at all would be without an end.
    let millis = crate::millis::millis(replicas.within).max(1);
    let mut both = redis::pipe();
    both.add_command(step).cmd("WAIT").arg(replicas.count).arg(millis).ignore_errors();
    let [step, wait]: [RedisResult<Value>; 2] = both.query_async(connection).await?;
    Ok((step?, wait?))
}

/// Whether the server does not have the script: it has been restarted, or told to forget, or this is the first
/// time.
fn is_unknown(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
