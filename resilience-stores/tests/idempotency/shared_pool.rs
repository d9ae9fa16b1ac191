//! A store and the bodies of its calls on one pool, whose connections the bodies hold for longer
//! than a lease.

use std::time::Duration;

use futures::future::join_all;
use resilience::idempotent::Store;
use resilience::stores::{PostgresStore, SqliteStore};
use resilience::{IdempotencyRejection, Rejected, RejectedKind, idempotent};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tokio::time::sleep;

use crate::folder::Folder;
use crate::servers::Postgres;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Longer than the lease.
const BODY: Duration = Duration::from_millis(2500);

/// The bodies hold every connection of the pool.
const CALLS: u32 = 4;

struct PgBank {
    pool: PgPool,
    store: PostgresStore,
}

impl PgBank {
    #[idempotent(
        store = self.store, key = key, scope = "global", lease = "1s", name = "shared.pg",
        concurrent = "reject"
    )]
    async fn pay(&self, key: &str) -> Result<u32, Failed> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("INSERT INTO paid VALUES ($1)").bind(key).execute(&mut *tx).await?;
        sleep(BODY).await;
        tx.commit().await?;
        Ok(1)
    }

    async fn open(url: &str) -> Self {
        let pool = PgPoolOptions::new().max_connections(CALLS).connect(url).await.unwrap();
        let store = PostgresStore::new(pool.clone());
        Self { pool, store }
    }
}

/// Requires that the duplicate of a running call is rejected.
fn assert_in_flight(duplicate: Result<u32, Failed>) {
    let error = duplicate.unwrap_err();
    let rejected = error.downcast_ref::<Rejected>().unwrap_or_else(|| panic!("{error:?}"));
    let expected = RejectedKind::Idempotency(IdempotencyRejection::InFlight);
    assert_eq!(rejected.kind(), expected, "{rejected:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_hold_all_connections_keep_their_leases_on_postgres() {
    let Some(server) = Postgres::shared() else { return };
    let (bank, other) = (PgBank::open(&server.url()).await, PgBank::open(&server.url()).await);
    bank.store.migrate().await.unwrap();
    sqlx::query("CREATE TABLE paid (key text)").execute(&bank.pool).await.unwrap();
    let keys: Vec<String> = (0..CALLS).map(|key| format!("s{key}")).collect();
    let calls = join_all(keys.iter().map(|key| bank.pay(key)));
    let duplicate = async {
        sleep(BODY * 3 / 4).await;
        other.pay("s0").await
    };
    let (paid, duplicate) = tokio::join!(calls, duplicate);
    assert_in_flight(duplicate);
    for call in paid {
        assert_eq!(call.unwrap(), 1);
    }
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM paid").fetch_one(&bank.pool).await.unwrap();
    assert_eq!(rows, i64::from(CALLS), "each key is paid once");
}

struct SqliteBank {
    pool: SqlitePool,
    store: SqliteStore,
}

impl SqliteBank {
    #[idempotent(
        store = self.store, key = key, scope = "global", lease = "1s", name = "shared.sqlite",
        concurrent = "reject"
    )]
    async fn pay(&self, key: &str) -> Result<u32, Failed> {
        let mut connection = self.pool.acquire().await?;
        sleep(BODY).await;
        sqlx::query("INSERT INTO paid VALUES ($1)").bind(key).execute(&mut *connection).await?;
        Ok(1)
    }

    async fn open(folder: &Folder) -> Self {
        let options = SqliteConnectOptions::new().filename(folder.database());
        let pool = SqlitePoolOptions::new().max_connections(CALLS);
        let pool = pool.connect_with(options.create_if_missing(true)).await.unwrap();
        let store = SqliteStore::new(pool.clone());
        Self { pool, store }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_hold_all_connections_keep_their_leases_on_sqlite() {
    let folder = Folder::new();
    SqliteStore::open(folder.database()).await.unwrap().pool().close().await;
    let (bank, other) = (SqliteBank::open(&folder).await, SqliteBank::open(&folder).await);
    sqlx::query("CREATE TABLE paid (key TEXT)").execute(&bank.pool).await.unwrap();
    let keys: Vec<String> = (0..CALLS).map(|key| format!("s{key}")).collect();
    let calls = join_all(keys.iter().map(|key| bank.pay(key)));
    let duplicate = async {
        sleep(BODY * 3 / 4).await;
        other.pay("s0").await
    };
    let (paid, duplicate) = tokio::join!(calls, duplicate);
    assert_in_flight(duplicate);
    for call in paid {
        assert_eq!(call.unwrap(), 1);
    }
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM paid").fetch_one(&bank.pool).await.unwrap();
    assert_eq!(rows, i64::from(CALLS), "each key is paid once");
}

/// A store can be created before the runtime, and opens its connections in the runtime.
#[test]
fn a_store_is_created_outside_of_a_runtime() {
    let folder = Folder::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = SqliteConnectOptions::new().filename(folder.database()).create_if_missing(true);
    let pool = runtime.block_on(SqlitePool::connect_with(options)).unwrap();
    let store = SqliteStore::new(pool.clone());
    assert_eq!(format!("{store:?}").matches("size").count(), 0, "no connection so far: {store:?}");
    runtime.block_on(async {
        store.migrate().await.unwrap();
        assert_eq!(store.purge(1).await.unwrap(), 0);
        assert_eq!((store.pool().size(), pool.size()), (1, 1));
    });
}
