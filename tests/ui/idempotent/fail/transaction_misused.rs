// What is no transaction of the caller's, and what says nothing where there is one.
#![allow(unused_variables)]
use std::sync::Arc;

use resilience::idempotent::MemoryStore;
use resilience::{Rejected, idempotent, retry};

struct Connection;

type Store = Arc<MemoryStore>;

#[idempotent(key = id, scope = "global", store = store, transaction = tx)]
async fn given_away(tx: Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
    Ok(id)
}

#[idempotent(key = id, scope = "global", store = store, transaction = tx)]
async fn only_seen(tx: &Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
    Ok(id)
}

#[idempotent(key = id, scope = "global", store = store, transaction = "tx")]
async fn in_quotes(tx: &mut Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
    Ok(id)
}

#[idempotent(key = id, scope = "global", store = store, transaction = &mut *tx)]
async fn borrowed(tx: &mut Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
    Ok(id)
}

#[idempotent(
    key = id,
    scope = "global",
    store = store,
    transaction = tx,
    on_store_error = "fail_open",
    on_interrupted = "unknown",
    on_unsaved = "error",
    store_timeout = "1s",
)]
async fn says_nothing(tx: &mut Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
    Ok(id)
}

#[idempotent(key = id, scope = "global", store = store, transaction = tx)]
#[retry(attempts = 3)]
async fn again(tx: &mut Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
    Ok(id)
}

#[retry(attempts = 3)]
#[idempotent(key = id, scope = "global", store = store, transaction = tx)]
async fn outside(tx: &mut Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
    Ok(id)
}

fn main() {}
