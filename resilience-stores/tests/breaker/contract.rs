//! The contract of `SharedState`, on real servers.

use std::time::Duration;

use resilience::stores::breaker::{
    EntryId, PostgresState, RedisState, RemoteState, SharedEntry, SharedState,
};
use sqlx::{Connection, PgConnection};

use crate::servers::{PgBouncer, Postgres, Redis};
use crate::store::{postgres, redis};

const LEFT: Duration = Duration::from_secs(30);

const fn closed(id: u64) -> SharedEntry {
    SharedEntry { id: EntryId(id), state: RemoteState::Closed }
}

/// Checks the whole contract except the expiry.
async fn check_contract<B: SharedState>(store: &mut B, name: &str) {
    assert_eq!(store.read(&[name]).await.unwrap(), [None]);
    assert!(!store.close(name, EntryId(0), EntryId(1)).await.unwrap(), "no entry to close");
    assert_eq!(store.read(&[name]).await.unwrap(), [None]);

    store.open(name, EntryId(u64::MAX), LEFT).await.unwrap();
    let other = format!("{name} other");
    let found = store.read(&[&other, name, name]).await.unwrap();
    let [None, Some(entry), Some(again)] = found[..] else { unreachable!("{found:?}") };
    assert_eq!((entry.id, again.id), (EntryId(u64::MAX), EntryId(u64::MAX)));
    let RemoteState::Open(left) = entry.state else { unreachable!("{entry:?}") };
    assert!(left <= LEFT && left + Duration::from_secs(10) > LEFT, "{left:?}");

    // The last write wins, and the open time starts again.
    store.open(name, EntryId(2), Duration::from_millis(5)).await.unwrap();
    store.open(name, EntryId(2), Duration::from_millis(5)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    let over = SharedEntry { id: EntryId(2), state: RemoteState::Open(Duration::ZERO) };
    assert_eq!(store.read(&[name]).await.unwrap(), [Some(over)]);

    // Only one of two closes succeeds, and only for the current open state.
    assert!(!store.close(name, EntryId(u64::MAX), EntryId(3)).await.unwrap());
    assert!(store.close(name, EntryId(2), EntryId(3)).await.unwrap());
    assert!(!store.close(name, EntryId(2), EntryId(4)).await.unwrap());
    assert!(!store.close(name, EntryId(3), EntryId(4)).await.unwrap(), "already closed");
    assert_eq!(store.read(&[name]).await.unwrap(), [Some(closed(3))]);

    // The longest possible open time.
    store.open(name, EntryId(5), Duration::MAX).await.unwrap();
    let found = store.read(&[name]).await.unwrap();
    assert!(
        matches!(found[..], [Some(SharedEntry { state: RemoteState::Open(left), .. })] if left > LEFT)
    );
}

#[tokio::test]
async fn redis_fulfills_the_contract() {
    let Some(server) = Redis::start(&[]) else { return };
    let mut store = redis(&server.url()).prefix("test:");
    check_contract(&mut store, "it's {a} \"name\"").await;
    // The entry has the prefix and expires.
    store.open("n", EntryId(1), LEFT).await.unwrap();
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut ttl = async || -> i64 {
        redis::cmd("PTTL").arg("test:n").query_async(&mut connection).await.unwrap()
    };
    let longest = i64::try_from((LEFT + RedisState::RETENTION).as_millis()).unwrap();
    assert!((1..=longest).contains(&ttl().await));
    assert!(store.close("n", EntryId(1), EntryId(2)).await.unwrap());
    let longest = i64::try_from(RedisState::RETENTION.as_millis()).unwrap();
    assert!((1..=longest).contains(&ttl().await));
    // A value in another format is ignored.
    let _: () = redis::cmd("SET")
        .arg("test:foreign")
        .arg("something")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(store.read(&["foreign"]).await.unwrap(), [None]);
}

#[tokio::test]
async fn postgres_fulfills_the_contract() {
    let Some(server) = Postgres::start(&[]) else { return };
    let mut store = postgres(&server.url());
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    check_contract(&mut store, "it's {a} \"name\"").await;
    // An expired row is invisible, and the next read deletes the row.
    store.open("n", EntryId(1), LEFT).await.unwrap();
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    let longest = i64::try_from((LEFT + PostgresState::RETENTION).as_secs()).unwrap();
    let ttl: i64 = sqlx::query_scalar(
        "SELECT extract(epoch FROM expires_at - clock_timestamp())::bigint \
         FROM resilience_circuit_breakers WHERE name = 'n'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert!((1..=longest).contains(&ttl));
    sqlx::raw_sql("UPDATE resilience_circuit_breakers SET expires_at = clock_timestamp()")
        .execute(&mut connection)
        .await
        .unwrap();
    assert!(!store.close("n", EntryId(1), EntryId(2)).await.unwrap());
    assert_eq!(store.read(&["n"]).await.unwrap(), [None]);
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM resilience_circuit_breakers")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn postgres_works_through_pgbouncer() {
    let Some(bouncer) = PgBouncer::shared() else { return };
    let mut store = postgres(&bouncer.url());
    store.migrate().await.unwrap();
    check_contract(&mut store, "over a bouncer").await;
}
