//! Claim, side effect and completion in one transaction of the caller.

use futures::future::join_all;
use resilience::idempotent::Store;
use resilience::stores::{PostgresStore, SqliteStore};
use resilience::{IdempotencyRejection, Rejected, RejectedKind, idempotent};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool, Postgres, SqliteConnection, SqlitePool, Transaction};

use crate::folder::Folder;
use crate::servers::{PgBouncer, Postgres as Server};

const TENANT: &str = "acme";

#[derive(Debug)]
#[allow(dead_code, reason = "shown when a test fails")]
enum Failed {
    Rejected(Rejected),
    Database(sqlx::Error),
    Declined,
}

impl From<Rejected> for Failed {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl Failed {
    fn kind(&self) -> Option<RejectedKind> {
        match self {
            Self::Rejected(rejected) => Some(rejected.kind()),
            _ => None,
        }
    }
}

/// An account on PostgreSQL.
struct Bank {
    pool: PgPool,
    store: PostgresStore,
}

impl Bank {
    async fn open() -> Option<Self> {
        Some(Self::at(&Server::shared()?.url()).await)
    }

    async fn at(url: &str) -> Self {
        let pool = PgPoolOptions::new().max_connections(16).connect(url).await.unwrap();
        let store = PostgresStore::new(pool.clone());
        store.migrate().await.unwrap();
        sqlx::query("CREATE TABLE IF NOT EXISTS charges (request text, cents bigint)")
            .execute(&pool)
            .await
            .ok();
        Self { pool, store }
    }

    #[idempotent(
        name = "bank.charge",
        key = request,
        scope = TENANT,
        store = self.store,
        transaction = tx
    )]
    async fn charge(
        &self,
        tx: &mut PgConnection,
        request: &str,
        cents: i64,
    ) -> Result<i64, Failed> {
        sqlx::query("INSERT INTO charges VALUES ($1, $2)")
            .bind(request)
            .bind(cents)
            .execute(&mut *tx)
            .await?;
        if cents == 0 {
            return Err(Failed::Declined);
        }
        Ok(cents * 2)
    }

    /// A charge on a transaction passed by value.
    #[idempotent(
        name = "bank.charge",
        key = request,
        scope = TENANT,
        store = self.store,
        transaction = tx,
        concurrent = "reject"
    )]
    async fn charge_at_once(
        &self,
        tx: &mut Transaction<'_, Postgres>,
        request: &str,
        cents: i64,
    ) -> Result<i64, Failed> {
        sqlx::query("INSERT INTO charges VALUES ($1, $2)")
            .bind(request)
            .bind(cents)
            .execute(&mut **tx)
            .await?;
        Ok(cents * 2)
    }

    async fn charges(&self, request: &str) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM charges WHERE request = $1")
            .bind(request)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    async fn whole(&self, request: &str, cents: i64) -> Result<i64, Failed> {
        let mut tx = self.pool.begin().await?;
        let done = self.charge(&mut tx, request, cents).await?;
        tx.commit().await?;
        Ok(done)
    }
}

#[tokio::test]
async fn a_charge_happens_once() {
    let Some(bank) = Bank::open().await else { return };
    assert_eq!(bank.whole("t-once", 5).await.unwrap(), 10);
    assert_eq!(bank.whole("t-once", 5).await.unwrap(), 10);
    let other = bank.whole("t-once", 6).await.unwrap_err();
    assert_eq!(other.kind(), Some(RejectedKind::Idempotency(IdempotencyRejection::KeyReused)));
    assert_eq!(bank.charges("t-once").await, 1);
}

#[tokio::test]
async fn a_rolled_back_claim_is_undone() {
    let Some(bank) = Bank::open().await else { return };
    let mut tx = bank.pool.begin().await.unwrap();
    assert_eq!(bank.charge(&mut tx, "t-back", 5).await.unwrap(), 10);
    tx.rollback().await.unwrap();
    assert!(matches!(bank.whole("t-fails", 0).await, Err(Failed::Declined)));
    assert_eq!((bank.charges("t-back").await, bank.charges("t-fails").await), (0, 0));
    assert_eq!(bank.whole("t-back", 5).await.unwrap(), 10);
    assert_eq!(bank.whole("t-fails", 0).await.unwrap_err().kind(), None);
    assert_eq!(bank.charges("t-back").await, 1);
}

#[tokio::test]
async fn concurrent_calls_run_once() {
    let Some(bank) = Bank::open().await else { return };
    let calls = (0..8).map(|_| bank.whole("t-many", 7));
    let all = join_all(calls).await;
    assert!(all.into_iter().all(|done| done.unwrap() == 14));
    assert_eq!(bank.charges("t-many").await, 1);
}

/// Behind a `PgBouncer`, where each transaction may use another connection.
#[tokio::test]
async fn a_transaction_keeps_one_connection() {
    let Some(bouncer) = PgBouncer::shared() else { return };
    let bank = Bank::at(&bouncer.url()).await;
    let calls = (0..8).map(|_| bank.whole("t-bouncer", 7));
    let all = join_all(calls).await;
    assert!(all.into_iter().all(|done| done.unwrap() == 14));
    assert_eq!(bank.charges("t-bouncer").await, 1);
}

/// Without a transaction each statement would be committed separately, and a concurrent second
/// call would run as well.
#[tokio::test]
async fn a_connection_without_a_transaction_is_rejected() {
    let Some(bank) = Bank::open().await else { return };
    let mut connection = bank.pool.acquire().await.unwrap();
    let refused = bank.charge(&mut connection, "t-none", 5).await.unwrap_err();
    assert_eq!(
        refused.kind(),
        Some(RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable))
    );
    let Failed::Rejected(refused) = refused else { unreachable!() };
    assert!(chain(&refused).contains("is not in a transaction"), "{}", chain(&refused));
    assert_eq!(bank.charges("t-none").await, 0);

    let folder = Folder::new();
    let purse = Purse::open(&folder).await;
    let mut connection = purse.pool.acquire().await.unwrap();
    let refused = purse.charge(&mut connection, "s-none", 5).await.unwrap_err();
    assert_eq!(
        refused.kind(),
        Some(RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable))
    );
    drop(connection);
    assert_eq!(purse.charges().await, 0);
}

/// The error names the missing `migrate()` call.
#[tokio::test]
async fn a_missing_table_is_reported() {
    let Some(server) = Server::shared() else { return };
    let pool = PgPool::connect(&server.url()).await.unwrap();
    sqlx::raw_sql("CREATE SCHEMA IF NOT EXISTS empty").execute(&pool).await.unwrap();
    let options: PgConnectOptions = server.url().parse().unwrap();
    let pool = PgPoolOptions::new().connect_with(options.options([("search_path", "empty")]));
    let error = PostgresStore::new(pool.await.unwrap()).purge(1).await.unwrap_err();
    assert!(chain(&error).contains("call `migrate()` of the store"), "{}", chain(&error));

    let pool = SqlitePool::connect("sqlite::memory:").await.unwrap();
    let error = SqliteStore::new(pool).purge(1).await.unwrap_err();
    assert!(chain(&error).contains("call `migrate()` of the store"), "{}", chain(&error));
}

/// Formats an error with all its sources.
fn chain(error: &dyn std::error::Error) -> String {
    let source = error.source().map(chain).unwrap_or_default();
    format!("{error}: {source}")
}

#[tokio::test]
async fn a_call_that_does_not_wait_is_rejected() {
    let Some(bank) = Bank::open().await else { return };
    let mut first = bank.pool.begin().await.unwrap();
    assert_eq!(bank.charge_at_once(&mut first, "t-busy", 1).await.unwrap(), 2);
    let mut second = bank.pool.begin().await.unwrap();
    let busy = bank.charge_at_once(&mut second, "t-busy", 1).await.unwrap_err();
    assert_eq!(busy.kind(), Some(RejectedKind::Idempotency(IdempotencyRejection::InFlight)));
    let Failed::Rejected(busy) = busy else { unreachable!() };
    assert_eq!(busy.retry_after(), Some(std::time::Duration::from_secs(1)));
    // The transaction stays usable.
    sqlx::query("SELECT 1").execute(&mut *second).await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(bank.charge_at_once(&mut second, "t-busy", 1).await.unwrap(), 2);
    second.commit().await.unwrap();
    assert_eq!(bank.charges("t-busy").await, 1);
}

#[tokio::test]
async fn an_old_snapshot_does_not_charge_again() {
    let Some(bank) = Bank::open().await else { return };
    let mut old = bank.pool.begin().await.unwrap();
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        .execute(&mut *old)
        .await
        .unwrap();
    sqlx::query("SELECT count(*) FROM charges").execute(&mut *old).await.unwrap();
    assert_eq!(bank.whole("t-snapshot", 3).await.unwrap(), 6);
    // The snapshot does not contain the concurrent commit, so the transaction must not commit.
    let blind = bank.charge(&mut old, "t-snapshot", 3).await.unwrap_err();
    assert_eq!(
        blind.kind(),
        Some(RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable))
    );
    drop(old);
    assert_eq!(bank.charges("t-snapshot").await, 1);
}

static POLICY: idempotent::IdempotencyPolicy = idempotent::IdempotencyPolicy::new("by.hand");

#[tokio::test]
async fn a_manual_call_is_send() {
    let Some(bank) = Bank::open().await else { return };
    let (pool, store) = (bank.pool.clone(), bank.store.clone());
    let twice = tokio::spawn(async move {
        let mut runs = 0;
        for _ in 0..2 {
            let mut tx = pool.begin().await.unwrap();
            let scope = idempotent::Scope::Global;
            let call = POLICY.call(store.clone(), scope, &"t-hand", |about| about).unwrap();
            let done: Result<i64, Rejected> = call
                .run_in(&mut *tx, async |tx: &mut PgConnection| {
                    runs += 1;
                    Ok(sqlx::query_scalar("SELECT 7::bigint").fetch_one(tx).await.unwrap())
                })
                .await;
            assert_eq!(done, Ok(7));
            tx.commit().await.unwrap();
        }
        runs
    });
    assert_eq!(twice.await.unwrap(), 1);
}

/// An account on SQLite.
struct Purse {
    store: SqliteStore,
    pool: SqlitePool,
}

impl Purse {
    async fn open(folder: &Folder) -> Self {
        let store = SqliteStore::open(folder.database()).await.unwrap();
        let url = format!("sqlite://{}", folder.database().display());
        let pool = SqlitePool::connect(&url).await.unwrap();
        sqlx::query("CREATE TABLE IF NOT EXISTS charges (request text, cents integer)")
            .execute(&pool)
            .await
            .unwrap();
        Self { store, pool }
    }

    #[idempotent(
        name = "purse.charge",
        key = request,
        scope = TENANT,
        store = self.store,
        transaction = tx
    )]
    async fn charge(
        &self,
        tx: &mut SqliteConnection,
        request: &str,
        cents: i64,
    ) -> Result<i64, Failed> {
        sqlx::query("INSERT INTO charges VALUES ($1, $2)")
            .bind(request)
            .bind(cents)
            .execute(&mut *tx)
            .await?;
        Ok(cents * 2)
    }

    async fn whole(&self, request: &str) -> Result<i64, Failed> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let done = self.charge(&mut tx, request, 7).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn charges(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM charges").fetch_one(&self.pool).await.unwrap()
    }
}

#[tokio::test]
async fn sqlite_charges_once() {
    let folder = Folder::new();
    let purse = Purse::open(&folder).await;
    let all = join_all((0..8).map(|_| purse.whole("s-many"))).await;
    assert!(all.into_iter().all(|done| done.unwrap() == 14));
    assert_eq!(purse.charges().await, 1);
    let mut tx = purse.pool.begin().await.unwrap();
    assert_eq!(purse.charge(&mut tx, "s-back", 1).await.unwrap(), 2);
    tx.rollback().await.unwrap();
    assert_eq!(purse.charges().await, 1);
    assert_eq!(purse.whole("s-back").await.unwrap(), 14);
    assert_eq!(purse.charges().await, 2);
}
