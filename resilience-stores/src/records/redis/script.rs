//! The Lua scripts of the store. The server executes each script atomically.

use std::sync::OnceLock;
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};

/// A script that operates on one record.
pub(super) struct Script {
    code: &'static str,
    hash: OnceLock<String>,
}

/// Concatenates the files to a script.
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

/// The number of replicas that must acknowledge a write, and the longest wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replicas {
    pub(super) count: u32,
    pub(super) within: Duration,
}

impl Script {
    /// Executes the script and returns the reply.
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

    /// Executes the script, and returns the reply and the number of replicas with all writes of
    /// the server so far. Earlier writes count too, such as a claim whose answer was lost.
    ///
    /// A pipeline sends both commands together. After a reconnect in between, WAIT would be the
    /// first command of the connection and would wait for nothing.
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

    /// Sends the source code, so that the server knows the hash afterwards. In a cluster, EVAL
    /// reaches the server of the key; SCRIPT LOAD cannot be sent to a single server.
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
    // WAIT treats zero as no limit.
    let millis = crate::db_time::millis(replicas.within).max(1);
    let mut both = redis::pipe();
    both.add_command(step).cmd("WAIT").arg(replicas.count).arg(millis).ignore_errors();
    let [step, wait]: [RedisResult<Value>; 2] = both.query_async(connection).await?;
    Ok((step?, wait?))
}

/// Returns whether the server does not know the script: at the first use, after a restart, or
/// after SCRIPT FLUSH.
fn is_unknown(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
