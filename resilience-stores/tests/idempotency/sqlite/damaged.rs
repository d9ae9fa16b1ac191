//! Records modified by another program.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};

use resilience::idempotent::StoreErrorKind;
use resilience::stores::SqliteStore;
use resilience::{IdempotencyRejection, RejectedKind};

use crate::claims::{ClaimSpec, DAY};
use crate::folder::Folder;
use crate::payments::{Payments, rejection_kind};

async fn open(folder: &Folder) -> (SqliteStore, Payments<SqliteStore>) {
    let store = SqliteStore::open(folder.database()).await.unwrap();
    (store.clone(), Payments::new(store, folder.journal()))
}

#[tokio::test]
async fn a_damaged_outcome() {
    for damage in [
        "outcome = x''",
        "outcome = substr(outcome, 2)",
        "outcome = CAST(substr(outcome, 1, length(outcome) - 1) || x'00' AS BLOB)",
        "outcome = CAST(x'ff' || substr(outcome, 2) AS BLOB)",
        "outcome = CAST(substr(outcome, 1, 30) || x'00' || substr(outcome, 32) AS BLOB)",
    ] {
        let folder = Folder::new();
        let (store, payments) = open(&folder).await;
        payments.rerun("r-1", 5).await.unwrap();
        let damage = format!("UPDATE resilience_idempotency SET {damage}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(damage.clone())).execute(store.pool()).await.unwrap();
        assert_eq!(
            rejection_kind(payments.rerun("r-1", 5).await),
            RejectedKind::Idempotency(IdempotencyRejection::Undecodable),
            "{damage}"
        );
        assert_eq!(
            rejection_kind(payments.fail_open("r-1", 5).await),
            RejectedKind::Idempotency(IdempotencyRejection::Undecodable),
            "{damage}"
        );
        assert_eq!(payments.lines().len(), 1, "{damage}");
    }
}

#[tokio::test]
async fn an_invalid_record() {
    for damage in [
        "state = 0",
        "state = 9",
        "state = 'gone'",
        "outcome = NULL",
        "outcome = 5",
        "fence = 'high'",
        "attempts = x'00'",
    ] {
        let folder = Folder::new();
        let (store, payments) = open(&folder).await;
        payments.rerun("r-1", 5).await.unwrap();
        let damage = format!("UPDATE resilience_idempotency SET {damage}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(damage.clone())).execute(store.pool()).await.unwrap();
        for result in [payments.rerun("r-1", 5).await, payments.fail_open("r-1", 5).await] {
            assert_eq!(
                rejection_kind(result),
                RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable),
                "{damage}"
            );
        }
        assert_eq!(payments.lines().len(), 1, "{damage}");
    }
}

#[tokio::test]
async fn a_corrupt_file() {
    let folder = Folder::new();
    let (store, payments) = open(&folder).await;
    for _ in 0..40 {
        ClaimSpec::new().complete(&store, &[7; 200], DAY).await;
    }
    payments.rerun("r-1", 5).await.unwrap();
    store.pool().close().await;
    // Overwrites every page except the first two, which contain the list of tables.
    let mut file = OpenOptions::new().write(true).open(folder.database()).unwrap();
    let length = file.seek(SeekFrom::End(0)).unwrap();
    file.seek(SeekFrom::Start(2 * 4096)).unwrap();
    file.write_all(&vec![0xa5; usize::try_from(length).unwrap() - 2 * 4096]).unwrap();

    let (store, payments) = open(&folder).await;
    assert_eq!(ClaimSpec::new().claim(&store).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
    assert_eq!(
        rejection_kind(payments.fail_open("r-1", 5).await),
        RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
    );
    assert_eq!(payments.lines().len(), 1);
}
