//! The contract of `SharedState`, in memory and on real servers.

use std::time::Duration;

use resilience::stores::breaker::{
    PostgresState, ProcessId, RedisState, SharedState, Vote, VoteId, VoteState, Votes,
};
use sqlx::{Connection, PgConnection};

use crate::failing_statements::fail;
use crate::memory::Memory;
use crate::servers::{PgBouncer, Postgres, Redis};
use crate::store::{postgres, redis};

const LEFT: Duration = Duration::from_secs(30);
const ONE: ProcessId = ProcessId(u64::MAX);
const TWO: ProcessId = ProcessId(2);
const THREE: ProcessId = ProcessId(0);

const fn open(id: u64, left: Duration) -> Vote {
    Vote { id: VoteId(id), state: VoteState::Open(left) }
}

const fn closed(id: u64) -> Vote {
    Vote { id: VoteId(id), state: VoteState::Closed }
}

/// Returns the only result, with the votes in the order of their ids.
async fn read<B: SharedState>(store: &mut B, process: ProcessId, name: &str) -> Votes {
    let mut found = store.read(process, &[name]).await.unwrap();
    assert_eq!(found.len(), 1);
    let mut votes = found.remove(0);
    votes.votes.sort_by_key(|(_, vote)| vote.id.0);
    votes
}

fn is_about(state: VoteState, expected: Duration) -> bool {
    matches!(state, VoteState::Open(left)
        if left <= expected && left + Duration::from_secs(10) > expected)
}

/// Checks the whole contract except the expiry.
async fn check_contract<B: SharedState>(store: &mut B, name: &str) {
    let none = |members| Votes { members, votes: vec![] };
    assert_eq!(read(store, ONE, name).await, none(1));
    assert_eq!(read(store, ONE, name).await, none(1), "a second read of the same process");
    assert_eq!(read(store, TWO, name).await, none(2));
    let other = format!("{name} other");
    assert_eq!(store.read(THREE, &[&other, name]).await.unwrap(), [none(1), none(3)]);
    assert_eq!(store.read(THREE, &[]).await.unwrap(), []);

    // The votes of the processes are apart. A process sees its own vote, too.
    store.vote(name, ONE, open(u64::MAX, LEFT)).await.unwrap();
    store.vote(name, TWO, open(1, LEFT * 2)).await.unwrap();
    let found = store.read(ONE, &[&other, name, name]).await.unwrap();
    assert_eq!((found.len(), found[0].votes.len(), found[0].members), (3, 0, 2));
    for mut votes in found.into_iter().skip(1) {
        votes.votes.sort_by_key(|(_, vote)| vote.id.0);
        let [(TWO, two), (ONE, one)] = votes.votes[..] else { unreachable!("{votes:?}") };
        assert_eq!((one.id, two.id, votes.members), (VoteId(u64::MAX), VoteId(1), 3));
        assert!(is_about(one.state, LEFT) && is_about(two.state, LEFT * 2), "{votes:?}");
    }

    // A vote replaces the earlier vote of the same process, also if written twice.
    for _ in 0..2 {
        store.vote(name, ONE, open(2, Duration::from_millis(5))).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    let votes = read(store, ONE, name).await.votes;
    assert_eq!((votes.len(), votes[1]), (2, (ONE, open(2, Duration::ZERO))));
    store.vote(name, ONE, closed(3)).await.unwrap();
    let votes = read(store, TWO, name).await.votes;
    assert_eq!((votes.len(), votes[1]), (2, (ONE, closed(3))));
    assert!(is_about(votes[0].1.state, LEFT * 2));

    // The longest possible open time, and a process that has voted without a read.
    store.vote(&other, ONE, open(5, Duration::MAX)).await.unwrap();
    let votes = read(store, THREE, &other).await.votes;
    assert!(matches!(votes[..], [(ONE, Vote { state: VoteState::Open(left), .. })] if left > LEFT));
}

#[tokio::test(start_paused = true)]
async fn the_state_of_the_tests_fulfills_the_contract() {
    let mut store = Memory::default();
    // The clock of this store moves by hand.
    let clock = store.clone();
    tokio::spawn(async move {
        loop {
            let start = tokio::time::Instant::now();
            tokio::time::sleep(Duration::from_millis(1)).await;
            clock.advance(start.elapsed());
        }
    });
    check_contract(&mut store, "memory").await;
}

#[tokio::test]
async fn redis_fulfills_the_contract() {
    let Some(server) = Redis::start(&[]) else { return };
    let mut store = redis(&server.url()).prefix("test:");
    check_contract(&mut store, "it's {a} \"name\"").await;
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    // The keys have the prefix and expire. A short vote shortens no longer one.
    store.vote("n", ONE, open(1, LEFT)).await.unwrap();
    store.vote("n", TWO, closed(2)).await.unwrap();
    read(&mut store, ONE, "n").await;
    let mut ttl = async |key: &str| -> Duration {
        let left: i64 = redis::cmd("PTTL").arg(key).query_async(&mut connection).await.unwrap();
        Duration::from_millis(u64::try_from(left).unwrap())
    };
    let (votes, members) = (ttl("test:votes:n").await, ttl("test:members:n").await);
    assert!(votes <= LEFT + RedisState::RETENTION && votes > RedisState::RETENTION, "{votes:?}");
    assert!(members <= RedisState::MEMBERSHIP, "{members:?}");
    // Votes in another format are ignored, and expired votes are deleted. After a step back of the
    // server's clock, no vote lasts longer than announced, and a member in the future is gone.
    let fields = [("a", "something"), ("b", "open:1:5:1000"), ("c", "open:7:5000:99999999999999")];
    for (process, value) in fields {
        let mut command = redis::cmd("HSET");
        command.arg("test:votes:m").arg(process).arg(value);
        let _: u32 = command.query_async(&mut connection).await.unwrap();
    }
    let mut command = redis::cmd("ZADD");
    command.arg("test:members:m").arg(99_999_999_999_999_u64).arg("ff");
    let _: u32 = command.query_async(&mut connection).await.unwrap();
    let found = read(&mut store, ONE, "m").await;
    let vote = (ProcessId(12), open(7, Duration::from_secs(5)));
    assert_eq!(found, Votes { members: 1, votes: vec![vote] });
    let fields: u32 =
        redis::cmd("HLEN").arg("test:votes:m").query_async(&mut connection).await.unwrap();
    assert_eq!(fields, 2);
}

#[tokio::test]
async fn postgres_fulfills_the_contract() {
    let Some(server) = Postgres::start(&[]) else { return };
    let mut store = postgres(&server.url());
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    check_contract(&mut store, "it's {a} \"name\"").await;
    // A row expires with the membership and the vote, and the next read of another process deletes
    // the row.
    store.vote("n", ONE, open(1, LEFT)).await.unwrap();
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    let longest = i64::try_from((LEFT + PostgresState::RETENTION).as_secs()).unwrap();
    let ttl: i64 = sqlx::query_scalar(
        "SELECT extract(epoch FROM expires_at - clock_timestamp())::bigint \
         FROM resilience_circuit_breaker_votes WHERE name = 'n'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert!((1..=longest).contains(&ttl));
    let mut update = async |assignments: &str| {
        let text =
            format!("UPDATE resilience_circuit_breaker_votes SET {assignments} WHERE name = 'n'");
        sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
    };
    // After a step back of the server's clock, no vote lasts longer than announced.
    update("voted_at = voted_at + interval '1 day', open_until = open_until + interval '1 day'")
        .await;
    let found = read(&mut store, TWO, "n").await;
    assert!(is_about(found.votes[0].1.state, LEFT), "{found:?}");
    assert_eq!(found.members, 2);
    // A member with an old vote stays visible, and a vote without a member as well.
    update("seen_at = seen_at - interval '1 hour'").await;
    let found = read(&mut store, TWO, "n").await;
    assert_eq!((found.members, found.votes.len()), (1, 1));
    update("seen_at = seen_at - interval '1 hour', expires_at = clock_timestamp()").await;
    assert_eq!(read(&mut store, TWO, "n").await, Votes { members: 1, votes: vec![] });
    let rows: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM resilience_circuit_breaker_votes WHERE name = 'n'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(rows, 1);
}

#[tokio::test]
async fn postgres_works_through_pgbouncer() {
    let Some(bouncer) = PgBouncer::shared() else { return };
    let mut store = postgres(&bouncer.url());
    store.migrate().await.unwrap();
    check_contract(&mut store, "over a bouncer").await;
}

async fn fail_twice(connection: &mut PgConnection, state: &str) {
    fail(connection, "resilience_circuit_breaker_votes", state, 2).await;
}

#[tokio::test]
async fn postgres_repeats_a_statement_that_the_server_has_rolled_back() {
    let Some(server) = Postgres::start(&[]) else { return };
    let mut store = postgres(&server.url());
    store.migrate().await.unwrap();
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    for state in ["40001", "40P01"] {
        fail_twice(&mut connection, state).await;
        store.vote("n", ONE, open(1, LEFT)).await.unwrap();
        fail_twice(&mut connection, state).await;
        assert_eq!(read(&mut store, TWO, "n").await.members, 2);
        // The row of the first process has expired, and the second process deletes the row.
        let expire = "UPDATE resilience_circuit_breaker_votes SET expires_at = clock_timestamp(), \
                      seen_at = seen_at - interval '1 hour' WHERE vote_id IS NOT NULL";
        sqlx::raw_sql(expire).execute(&mut connection).await.unwrap();
        fail_twice(&mut connection, state).await;
        assert_eq!(read(&mut store, TWO, "n").await.members, 1);
    }
    fail_twice(&mut connection, "57014").await;
    store.vote("n", ONE, open(1, LEFT)).await.unwrap_err();
}

#[test]
fn the_debug_form_shows_no_password() {
    let postgres = format!("{:?}", postgres("postgres://app:s3cret@db/app"));
    let redis = format!("{:?}", redis("redis://app:s3cret@db/"));
    assert!(!postgres.contains("s3cret"), "{postgres}");
    assert!(!redis.contains("s3cret"), "{redis}");
}
