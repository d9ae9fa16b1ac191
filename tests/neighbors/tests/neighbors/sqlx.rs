//! `#[sqlx::test]`: works above and below.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use resilience::retry;
use sqlx::SqlitePool;

/// Succeeds at the third call.
async fn flaky(calls: &AtomicU32, pool: &SqlitePool) -> sqlx::Result<()> {
    let answer: i64 = sqlx::query_scalar("SELECT 7").fetch_one(pool).await?;
    assert_eq!(answer, 7);
    if calls.fetch_add(1, Relaxed) == 2 { Ok(()) } else { Err(sqlx::Error::PoolTimedOut) }
}

#[sqlx::test(migrations = false)]
#[retry(attempts = 3, base_delay = "1ms")]
async fn above(pool: SqlitePool) -> sqlx::Result<()> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    flaky(&CALLS, &pool).await
}

#[retry(attempts = 3, base_delay = "1ms")]
#[sqlx::test(migrations = false)]
async fn below(pool: SqlitePool) -> sqlx::Result<()> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    flaky(&CALLS, &pool).await
}
