//! A body that holds the write lock of the database for longer than the lease.
//!
//! SQLite has one write lock for each file, so no connection can renew the lease meanwhile.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

use resilience::Rejected;
use resilience::idempotent::{Store, StoreErrorKind};
use resilience::stores::SqliteStore;
use resilience::{IdempotencyRejection, RejectedKind, idempotent};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tokio::time::sleep;

use crate::claims::{ClaimSpec, DAY};
use crate::folder::Folder;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Three leases.
const BODY: Duration = Duration::from_millis(900);

struct Bank<'t> {
    pool: SqlitePool,
    store: SqliteStore,
    payments: &'t AtomicU32,
}

impl<'t> Bank<'t> {
    async fn open(folder: &Folder, payments: &'t AtomicU32) -> Self {
        let options = SqliteConnectOptions::new().filename(folder.database());
        let options = options.create_if_missing(true).busy_timeout(Duration::from_secs(20));
        let pool = SqlitePool::connect_with(options).await.unwrap();
        Self { store: SqliteStore::new(pool.clone()), pool, payments }
    }

    #[idempotent(
        store = self.store, key = key, scope = "global", name = "lock.pay", lease = "300ms",
        concurrent = "reject", on_unsaved = "error"
    )]
    async fn rerun(&self, key: &str) -> Result<u32, Failed> {
        self.pay(key).await
    }

    #[idempotent(
        store = self.store, key = key, scope = "global", name = "lock.pay", lease = "300ms",
        concurrent = "reject", on_interrupted = "unknown", on_unsaved = "error"
    )]
    async fn unknown(&self, key: &str) -> Result<u32, Failed> {
        self.pay(key).await
    }

    async fn pay(&self, key: &str) -> Result<u32, Failed> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT INTO paid VALUES ($1)").bind(key).execute(&mut *tx).await?;
        sleep(BODY).await;
        tx.commit().await?;
        Ok(self.payments.fetch_add(1, SeqCst) + 1)
    }

    async fn paid(&self, key: &str) -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM paid WHERE key = $1");
        count.bind(key).fetch_one(&self.pool).await.unwrap()
    }
}

fn reason(outcome: &Result<u32, Failed>) -> Option<IdempotencyRejection> {
    match outcome.as_ref().err()?.downcast_ref::<Rejected>()?.kind() {
        RejectedKind::Idempotency(reason) => Some(reason),
        _ => None,
    }
}

/// Calls until the store answers with an outcome, or with the end of the wait.
macro_rules! until_answered {
    ($call:expr) => {{
        let begin = Instant::now();
        loop {
            let outcome = $call.await;
            let waits = [IdempotencyRejection::InFlight, IdempotencyRejection::StoreUnavailable];
            if !reason(&outcome).is_some_and(|reason| waits.contains(&reason)) {
                break outcome;
            }
            assert!(begin.elapsed() < Duration::from_secs(30), "{outcome:?}");
        }
    }};
}

async fn banks<'t>(folder: &Folder, payments: &'t AtomicU32) -> [Bank<'t>; 2] {
    let [one, two] = [Bank::open(folder, payments).await, Bank::open(folder, payments).await];
    one.store.migrate().await.unwrap();
    sqlx::query("CREATE TABLE paid (key TEXT)").execute(&one.pool).await.unwrap();
    [one, two]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_renews_a_lease_while_another_holds_the_write_lock() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let spec = ClaimSpec::new();
    let (token, _) = spec.acquire(&store).await;
    let mut lock = store.pool().begin_with("BEGIN IMMEDIATE").await.unwrap();
    let options = SqliteConnectOptions::new().filename(folder.database());
    let options = options.busy_timeout(Duration::from_millis(20));
    let second = SqliteStore::with_own_pool(SqlitePool::connect_with(options).await.unwrap());
    let error = second.renew(&spec.key, token, DAY).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    // Reads are not blocked, and a takeover is blocked like a renewal.
    assert_eq!(second.interrupted(1).await.unwrap(), []);
    assert!(spec.other().claim(&second).await.is_err());
    sqlx::query("SELECT 1").execute(&mut *lock).await.unwrap();
    lock.rollback().await.unwrap();
    assert!(second.renew(&spec.key, token, DAY).await.is_ok());
}

/// The second call may run after the lease. The stored outcome is the only success.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_stored_outcome_is_a_success_after_a_takeover() {
    let (folder, payments) = (Folder::new(), AtomicU32::new(0));
    let [one, two] = banks(&folder, &payments).await;
    for round in 0..3 {
        let key = format!("r-{round}");
        let duplicate = async {
            sleep(BODY / 2).await;
            until_answered!(two.rerun(&key))
        };
        let (first, second) = tokio::join!(one.rerun(&key), duplicate);
        let stored = until_answered!(two.rerun(&key)).unwrap();
        for outcome in [first, second] {
            match reason(&outcome) {
                Some(IdempotencyRejection::LeaseLost | IdempotencyRejection::StoreUnavailable) => {}
                Some(other) => panic!("{other:?}"),
                None => assert_eq!(outcome.unwrap(), stored, "one truth"),
            }
        }
    }
}

/// With `on_interrupted = "unknown"` no second call runs, and the late completion is stored, or
/// reported as not stored.
#[tokio::test(flavor = "multi_thread")]
async fn no_second_effect_without_a_takeover() {
    let (folder, payments) = (Folder::new(), AtomicU32::new(0));
    let [one, two] = banks(&folder, &payments).await;
    let duplicate = async {
        sleep(BODY / 2).await;
        until_answered!(two.unknown("k"))
    };
    let (first, second) = tokio::join!(one.unknown("k"), duplicate);
    let last = until_answered!(two.unknown("k"));
    match reason(&first) {
        Some(unsaved) => {
            assert_eq!(unsaved, IdempotencyRejection::StoreUnavailable);
            assert_eq!(reason(&last), Some(IdempotencyRejection::OutcomeUnknown));
        }
        None => assert_eq!((first.unwrap(), last.unwrap()), (1, 1)),
    }
    match reason(&second) {
        Some(reason) => assert_eq!(reason, IdempotencyRejection::OutcomeUnknown),
        None => assert_eq!(second.unwrap(), 1),
    }
    assert_eq!((one.paid("k").await, payments.into_inner()), (1, 1));
}
