//! The search for interrupted claims.
//!
//! The search scans all keys. A list of claims would be a second key, possibly on another server
//! of a cluster, and could not be written atomically with the record.

use std::collections::HashSet;

use redis::aio::ConnectionLike;
use redis::{RedisResult, Value};
use resilience_idempotency::{Interrupted, RecordKey, StoreError, StoreResult};

use super::answer::{number, store_error, unreadable};
use super::check::is_of_cluster;
use super::script::INTERRUPTED;
use super::store::RedisStore;

/// The number of keys that the server scans per command, before other clients are served.
const SCAN_COUNT: u32 = 500;

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    pub(super) async fn find_interrupted(&self, limit: usize) -> StoreResult<Vec<Interrupted>> {
        let mut connection = self.connection.clone();
        let mut found = Vec::new();
        if limit == 0 {
            return Ok(found);
        }
        // A cluster connection would send each SCAN to an arbitrary server.
        let info = redis::cmd("INFO").arg("cluster").query_async(&mut connection).await;
        if is_of_cluster(Some(&info.map_err(store_error)?)) {
            return Err(StoreError::unavailable(
                "a cluster connection cannot search for claims; connect to each server of the cluster",
            ));
        }
        let pattern = format!("{}{{*}}", escape_pattern(&self.prefix));
        // SCAN may return a key more than once.
        let mut seen = HashSet::new();
        let mut cursor = String::from("0");
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(&cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(SCAN_COUNT);
            let page: RedisResult<(String, Vec<Vec<u8>>)> = scan.query_async(&mut connection).await;
            let (next, names) = page.map_err(store_error)?;
            let keys =
                names.iter().filter_map(|name| key(name.strip_prefix(self.prefix.as_bytes())?));
            let keys: Vec<RecordKey> = keys.collect();
            for (key, answer) in keys.iter().zip(self.read_claims(&mut connection, &keys).await?) {
                let Some(interrupted) = read(*key, &answer)? else { continue };
                if seen.insert(*key) {
                    found.push(interrupted);
                }
                if found.len() == limit {
                    return Ok(found);
                }
            }
            if next == "0" {
                return Ok(found);
            }
            cursor = next;
        }
    }

    async fn read_claims(&self, connection: &mut C, keys: &[RecordKey]) -> StoreResult<Vec<Value>> {
        let [first, rest @ ..] = keys else { return Ok(Vec::new()) };
        let mut commands = redis::pipe();
        commands.add_command(INTERRUPTED.by_code(&self.name(first), &[]));
        for key in rest {
            commands.add_command(INTERRUPTED.by_hash(&self.name(key), &[]));
        }
        commands.query_async(connection).await.map_err(store_error)
    }
}

/// Parses the reply of the script; `None` if the claim is not interrupted.
fn read(key: RecordKey, answer: &Value) -> StoreResult<Option<Interrupted>> {
    let Value::Array(words) = answer else { return Err(unreadable()) };
    match &**words {
        [] => Ok(None),
        [Value::BulkString(label), Value::BulkString(attempts)] => {
            let label = String::from_utf8_lossy(label);
            Ok(Some(Interrupted::new(key, label, number(attempts)?)))
        }
        _ => Err(unreadable()),
    }
}

/// Escapes the special characters of a glob pattern.
fn escape_pattern(text: &str) -> String {
    let escape = |letter| matches!(letter, '*' | '?' | '[' | ']' | '\\').then_some('\\');
    text.chars().flat_map(|letter| escape(letter).into_iter().chain([letter])).collect()
}

/// Parses a record key from hexadecimal digits in braces.
fn key(name: &[u8]) -> Option<RecordKey> {
    let digits = name.strip_prefix(b"{")?.strip_suffix(b"}")?;
    let mut key = [0; 32];
    if digits.len() != 2 * key.len() {
        return None;
    }
    for (byte, digits) in key.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(RecordKey(key))
}
