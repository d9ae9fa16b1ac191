//! The search for claims that nobody ended. There is no list of them: it would be a second key, on another server
//! of a cluster than the record, and the two could not be written at once.

use std::collections::HashSet;

use redis::aio::ConnectionLike;
use redis::{RedisResult, Value};
use resilience_idempotency::{Interrupted, RecordKey, StoreError, StoreResult};

use super::answer::{number, trouble, unreadable};
use super::check::is_of_cluster;
use super::script::INTERRUPTED;
use super::store::RedisStore;

/// How many keys the server looks at before it turns to others.
const AT_ONCE: u32 = 500;

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    pub(super) async fn find_interrupted(&self, limit: usize) -> StoreResult<Vec<Interrupted>> {
        let mut connection = self.connection.clone();
        let mut found = Vec::new();
        if limit == 0 {
            return Ok(found);
        }
        // Over such a connection each SCAN would go to any of the servers.
        let info = redis::cmd("INFO").arg("cluster").query_async(&mut connection).await;
        if is_of_cluster(Some(&info.map_err(trouble)?)) {
            return Err(StoreError::unavailable(
                "a connection to a cluster cannot search it: connect to each of its servers",
            ));
        }
        let pattern = format!("{}{{*}}", literally(&self.prefix));
        // A search shows some keys twice.
        let mut seen = HashSet::new();
        let mut cursor = String::from("0");
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(&cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(AT_ONCE);
            let page: RedisResult<(String, Vec<Vec<u8>>)> = scan.query_async(&mut connection).await;
            let (next, names) = page.map_err(trouble)?;
            let keys =
                names.iter().filter_map(|name| key(name.strip_prefix(self.prefix.as_bytes())?));
            let keys: Vec<RecordKey> = keys.collect();
            for (key, answer) in keys.iter().zip(self.look(&mut connection, &keys).await?) {
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

    async fn look(&self, connection: &mut C, keys: &[RecordKey]) -> StoreResult<Vec<Value>> {
        let [first, others @ ..] = keys else { return Ok(Vec::new()) };
        let mut looks = redis::pipe();
        looks.add_command(INTERRUPTED.by_code(&self.name(first), &[]));
        for key in others {
            looks.add_command(INTERRUPTED.by_hash(&self.name(key), &[]));
        }
        looks.query_async(connection).await.map_err(trouble)
    }
}

/// A claim that nobody ended, if that is what was found.
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

/// For a pattern that means the text itself.
fn literally(text: &str) -> String {
    let escape = |letter| matches!(letter, '*' | '?' | '[' | ']' | '\\').then_some('\\');
    text.chars().flat_map(|letter| escape(letter).into_iter().chain([letter])).collect()
}

/// From the hexadecimal digits in braces.
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
