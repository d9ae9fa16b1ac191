//! What a board promises, on the servers.

use std::time::Duration;

use resilience::stores::breaker::{
    EntryId, PostgresState, RedisState, RemoteState, SharedEntry, SharedState,
};
use sqlx::{Connection, PgConnection};

use crate::servers::{PgBouncer, Postgres, Redis};
use crate::store::{postgres, redis};

const LEFT: Duration = Duration::from_secs(30);

const fn closed(tag: u64) -> SharedEntry {
    SharedEntry { tag: EntryId(tag), stand: RemoteState::Closed }
}

/// All that a board does but forget.
async fn promises<B: SharedState>(board: &mut B, name: &str) {
    assert_eq!(board.read(&[name]).await.unwrap(), [None]);
    assert!(!board.close(name, EntryId(0), EntryId(1)).await.unwrap(), "there is nothing to close");
    assert_eq!(board.read(&[name]).await.unwrap(), [None]);

    board.open(name, EntryId(u64::MAX), LEFT).await.unwrap();
    let other = format!("{name} other");
    let found = board.read(&[&other, name, name]).await.unwrap();
    let [None, Some(entry), Some(again)] = found[..] else { unreachable!("{found:?}") };
    assert_eq!((entry.tag, again.tag), (EntryId(u64::MAX), EntryId(u64::MAX)));
    let RemoteState::Open(left) = entry.stand else { unreachable!("{entry:?}") };
    assert!(left <= LEFT && left + Duration::from_secs(10) > LEFT, "{left:?}");

    // The last one counts, and the time is counted anew.
    board.open(name, EntryId(2), Duration::from_millis(5)).await.unwrap();
    board.open(name, EntryId(2), Duration::from_millis(5)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    let over = SharedEntry { tag: EntryId(2), stand: RemoteState::Open(Duration::ZERO) };
    assert_eq!(board.read(&[name]).await.unwrap(), [Some(over)]);

    // Of two that close it one does, and only the opening that it knows.
    assert!(!board.close(name, EntryId(u64::MAX), EntryId(3)).await.unwrap());
    assert!(board.close(name, EntryId(2), EntryId(3)).await.unwrap());
    assert!(!board.close(name, EntryId(2), EntryId(4)).await.unwrap());
    assert!(!board.close(name, EntryId(3), EntryId(4)).await.unwrap(), "it is closed");
    assert_eq!(board.read(&[name]).await.unwrap(), [Some(closed(3))]);

    // For as long as there is.
    board.open(name, EntryId(5), Duration::MAX).await.unwrap();
    let found = board.read(&[name]).await.unwrap();
    assert!(
        matches!(found[..], [Some(SharedEntry { stand: RemoteState::Open(left), .. })] if left > LEFT)
    );
}

#[tokio::test]
async fn redis_keeps_them() {
    let Some(server) = Redis::start(&[]) else { return };
    let mut board = redis(&server.url()).prefix("test:");
    promises(&mut board, "it's {a} \"name\"").await;
    // In their own place, and not for ever.
    board.open("n", EntryId(1), LEFT).await.unwrap();
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut ttl = async || -> i64 {
        redis::cmd("PTTL").arg("test:n").query_async(&mut connection).await.unwrap()
    };
    let longest = i64::try_from((LEFT + RedisState::KEPT).as_millis()).unwrap();
    assert!((1..=longest).contains(&ttl().await));
    assert!(board.close("n", EntryId(1), EntryId(2)).await.unwrap());
    let longest = i64::try_from(RedisState::KEPT.as_millis()).unwrap();
    assert!((1..=longest).contains(&ttl().await));
    // What is not ours is none.
    let _: () = redis::cmd("SET")
        .arg("test:foreign")
        .arg("something")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(board.read(&["foreign"]).await.unwrap(), [None]);
}

#[tokio::test]
async fn postgres_keeps_them() {
    let Some(server) = Postgres::start(&[]) else { return };
    let mut board = postgres(&server.url());
    board.migrate().await.unwrap();
    board.migrate().await.unwrap();
    promises(&mut board, "it's {a} \"name\"").await;
    // Not for ever: what is over is nowhere, and who meets it deletes it.
    board.open("n", EntryId(1), LEFT).await.unwrap();
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    let longest = i64::try_from((LEFT + PostgresState::KEPT).as_secs()).unwrap();
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
    assert!(!board.close("n", EntryId(1), EntryId(2)).await.unwrap());
    assert_eq!(board.read(&["n"]).await.unwrap(), [None]);
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM resilience_circuit_breakers")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn pgbouncer_is_not_in_the_way() {
    let Some(bouncer) = PgBouncer::shared() else { return };
    let mut board = postgres(&bouncer.url());
    board.migrate().await.unwrap();
    promises(&mut board, "over a bouncer").await;
}
