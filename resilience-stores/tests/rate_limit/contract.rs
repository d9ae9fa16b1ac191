//! The contract of `LeaseStore`, in memory and on real servers.

use std::time::Duration;

use resilience::stores::rate_limit::{
    Lease, LeaseRequest, LeaseStore, MemberId, PostgresLeases, RedisLeases, Share,
};
use sqlx::{Connection, PgConnection};

use crate::failing_statements::fail;
use crate::memory::Memory;
use crate::servers::{PgBouncer, Postgres, Redis};
use crate::store::{postgres, redis};

const LONG: Duration = Duration::from_mins(1);

fn percent(percent: u32) -> Share {
    Share::from_billionths(percent * 10_000_000)
}

fn request(member: u64, demand: u32, wanted: u32) -> LeaseRequest {
    let member = MemberId(member);
    LeaseRequest { member, demand: percent(demand), wanted: percent(wanted), length: LONG }
}

/// Leases, and returns the granted share and the sorted demands of the others, in percent.
async fn lease<S: LeaseStore>(store: &mut S, name: &str, request: LeaseRequest) -> (u32, Vec<u32>) {
    let Lease { granted, others } = store.lease(name, request).await.unwrap();
    let percent = |share: Share| share.billionths() / 10_000_000;
    let mut others: Vec<u32> = others.into_iter().map(percent).collect();
    others.sort_unstable();
    (percent(granted), others)
}

async fn check_contract<S: LeaseStore>(store: &mut S, name: &str) {
    assert_eq!(lease(store, name, request(u64::MAX, 10, 100)).await, (100, vec![]));
    assert_eq!(lease(store, name, request(2, 20, 50)).await, (0, vec![10]), "nothing is free");
    assert_eq!(lease(store, name, request(u64::MAX, 10, 30)).await, (30, vec![20]));
    assert_eq!(lease(store, name, request(2, 90, 50)).await, (50, vec![10]));
    assert_eq!(
        lease(store, name, request(2, 90, 80)).await,
        (70, vec![10]),
        "the own share is free"
    );
    assert_eq!(lease(store, name, request(3, 0, 1)).await, (0, vec![10, 90]));
    let other = format!("{name} other");
    assert_eq!(lease(store, &other, request(2, 5, 100)).await, (100, vec![]), "another rate");

    // A lease ends by itself.
    let short = LeaseRequest { length: Duration::from_millis(5), ..request(4, 40, 60) };
    assert_eq!(lease(store, &other, request(2, 5, 20)).await, (20, vec![]));
    assert_eq!(lease(store, &other, short).await, (60, vec![5]));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(lease(store, &other, request(5, 7, 100)).await, (80, vec![5]));

    // The longest lease, and the smallest share.
    let longest = LeaseRequest { length: Duration::MAX, ..request(6, 1, 1) };
    let third = format!("{name} third");
    assert_eq!(lease(store, &third, longest).await, (1, vec![]));
    let smallest = LeaseRequest { wanted: Share::from_billionths(1), ..request(7, 1, 1) };
    assert_eq!(store.lease(&third, smallest).await.unwrap().granted, Share::from_billionths(1));
}

/// Many members lease at the same time: their shares never add up to more than the rate.
async fn check_races<S: LeaseStore + 'static>(make: impl Fn() -> S) {
    let tasks = (0..8).map(|member| {
        let mut store = make();
        tokio::spawn(async move {
            let mut last = 0;
            for round in 0..40 {
                let wanted = (member * 7 + round * 13) % 60;
                let request = request(member.into(), 0, wanted);
                last = store.lease("races", request).await.unwrap().granted.billionths();
            }
            last
        })
    });
    let granted = futures::future::join_all(tasks.collect::<Vec<_>>()).await;
    let sum: u64 = granted.into_iter().map(|share| u64::from(share.unwrap())).sum();
    assert!(sum <= u64::from(Share::WHOLE.billionths()), "{sum}");
    assert!(sum > 0);
}

#[tokio::test]
async fn the_store_of_the_tests_fulfills_the_contract() {
    check_contract(&mut Memory::default().link(), "memory").await;
}

#[tokio::test]
async fn redis_fulfills_the_contract() {
    let Some(server) = Redis::start(&[]) else { return };
    let mut store = redis(&server.url()).prefix("test:");
    check_contract(&mut store, "it's {a} \"name\"").await;
    check_races(|| redis(&server.url())).await;
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    // The key expires with its longest lease.
    lease(&mut store, "n", request(1, 0, 50)).await;
    let short = LeaseRequest { length: Duration::from_millis(5), ..request(2, 0, 50) };
    lease(&mut store, "n", short).await;
    let left: u64 = redis::cmd("PTTL").arg("test:n").query_async(&mut connection).await.unwrap();
    assert!((1000..=60_000).contains(&left), "{left}");
    // Leases in another format, and leases from a clock that went back, are deleted.
    let fields = [("a", "something"), ("b", "900000000:0:99999999999999:99999999999999")];
    for (member, value) in fields {
        let mut command = redis::cmd("HSET");
        command.arg("test:m").arg(member).arg(value);
        let _: u32 = command.query_async(&mut connection).await.unwrap();
    }
    assert_eq!(lease(&mut store, "m", request(1, 0, 100)).await, (100, vec![]));
    let fields: u32 = redis::cmd("HLEN").arg("test:m").query_async(&mut connection).await.unwrap();
    assert_eq!(fields, 1);
    let _: RedisLeases = store;
}

/// The client of one node reaches the keys of all names.
#[tokio::test]
async fn the_keys_of_redis_are_on_one_node_of_a_cluster() {
    let Some(server) = Redis::start(&[]) else { return };
    let mut store = redis(&server.url());
    for name in ["one", "{other}"] {
        lease(&mut store, name, request(1, 0, 50)).await;
    }
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|key| key.starts_with("{resilience}:")), "{keys:?}");
}

#[tokio::test]
async fn postgres_fulfills_the_contract() {
    let Some(server) = Postgres::start(&[]) else { return };
    let mut store = postgres(&server.url());
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    check_contract(&mut store, "it's {a} \"name\"").await;
    check_races(|| postgres(&server.url())).await;
    // After a step back of the server's clock, earlier leases do not count.
    lease(&mut store, "n", request(1, 0, 90)).await;
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    let back = "UPDATE resilience_rate_limit_leases SET starts_at[1] = starts_at[1] + \
                interval '1 day', ends_at[1] = ends_at[1] + interval '1 day' WHERE name = 'n'";
    sqlx::raw_sql(back).execute(&mut connection).await.unwrap();
    assert_eq!(lease(&mut store, "n", request(2, 0, 100)).await, (100, vec![]));
    let members: i32 = sqlx::query_scalar(
        "SELECT cardinality(members) FROM resilience_rate_limit_leases WHERE name = 'n'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(members, 1);
    let _: PostgresLeases = store;
}

#[tokio::test]
async fn postgres_works_through_pgbouncer() {
    let Some(bouncer) = PgBouncer::shared() else { return };
    let mut store = postgres(&bouncer.url());
    store.migrate().await.unwrap();
    check_contract(&mut store, "over a bouncer").await;
}

#[tokio::test]
async fn postgres_repeats_a_statement_that_the_server_has_rolled_back() {
    let Some(server) = Postgres::start(&[]) else { return };
    let mut store = postgres(&server.url());
    store.migrate().await.unwrap();
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    fail(&mut connection, "resilience_rate_limit_leases", "40001", 2).await;
    assert_eq!(lease(&mut store, "n", request(1, 0, 60)).await, (60, vec![]));
}

#[test]
fn the_debug_form_shows_no_password() {
    let postgres = format!("{:?}", postgres("postgres://app:s3cret@db/app"));
    let redis = format!("{:?}", redis("redis://app:s3cret@db/"));
    assert!(!postgres.contains("s3cret"), "{postgres}");
    assert!(!redis.contains("s3cret"), "{redis}");
}
