//! `#[coalesce]`: a popular key expires, and a hundred requests need the value at once.
//!
//! `cargo run --example coalesce`
#![allow(clippy::print_stdout, reason = "the output is the purpose of an example")]

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use resilience::{Rejected, coalesce, fallback, stale_age_async, timeout};

static QUERIES: AtomicU32 = AtomicU32::new(0);

#[derive(Clone, Debug, PartialEq)]
enum StoreError {
    Down,
    Rejected(Rejected),
}

impl From<Rejected> for StoreError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

/// Equal calls share a query. Each caller waits for at most a second. While the database is down,
/// the last price of the item is returned, at most ten minutes old.
#[fallback(stale = "10m", key = item)]
#[timeout("1s")]
#[coalesce(key = item)]
async fn price(item: u32, is_up: bool) -> Result<u32, StoreError> {
    QUERIES.fetch_add(1, Relaxed);
    tokio::time::sleep(Duration::from_millis(20)).await;
    if is_up { Ok(item * 10) } else { Err(StoreError::Down) }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let prices = join_all((0..100).map(|call| price(call % 2, true))).await;
    let queries = QUERIES.swap(0, Relaxed);
    println!("{} calls for 2 items, {queries} queries", prices.len());
    assert!(prices.iter().all(Result::is_ok) && queries == 2);

    tokio::time::sleep(Duration::from_secs(90)).await;
    let (last, age) = stale_age_async(price(1, false)).await;
    let age = age.map(|age| age.as_secs());
    println!("the database is down: {last:?}, {age:?} seconds old");
    assert_eq!((last, age), (Ok(10), Some(90)));
    println!("no price is known: {:?}", price(7, false).await);
}
