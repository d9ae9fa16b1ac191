//! Records that somebody else has written to.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};

use resilience::idempotent::StoreErrorKind;
use resilience::stores::SqliteStore;
use resilience::{IdempotencyRejection, RejectedKind};

use crate::claims::{Ask, DAY};
use crate::folder::Folder;
use crate::payments::{Payments, why};

async fn open(folder: &Folder) -> (SqliteStore, Payments<SqliteStore>) {
    let store = SqliteStore::open(folder.database()).await.unwrap();
    (store.clone(), Payments::new(store, folder.journal()))
}

#[tokio::test]
async fn an_outcome_that_is_damaged() {
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
            why(payments.rerun("r-1", 5).await),
            RejectedKind::Idempotency(IdempotencyRejection::Undecodable),
            "{damage}"
        );
        assert_eq!(
            why(payments.open("r-1", 5).await),
            RejectedKind::Idempotency(IdempotencyRejection::Undecodable),
            "{damage}"
        );
        assert_eq!(payments.lines().len(), 1, "{damage}");
    }
}

#[tokio::test]
async fn a_record_that_makes_no_sense() {
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
        for turned_away in [payments.rerun("r-1", 5).await, payments.open("r-1", 5).await] {
            assert_eq!(
                why(turned_away),
                RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable),
                "{damage}"
            );
        }
        assert_eq!(payments.lines().len(), 1, "{damage}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database() {
    let folder = Folder::new();
    let (store, payments) = open(&folder).await;
    for _ in 0..40 {
        Ask::new().done(&store, &[7; 200], DAY).await;
    }
    payments.rerun("r-1", 5).await.unwrap();
    store.pool().close().await;
    // Every page but the first two, which say what tables there are.
    let mut file = OpenOptions::new().write(true).open(folder.database()).unwrap();
    let length = file.seek(SeekFrom::End(0)).unwrap();
    file.seek(SeekFrom::Start(2 * 4096)).unwrap();
    file.write_all(&vec![0xa5; usize::try_from(length).unwrap() - 2 * 4096]).unwrap();

    let (store, payments) = open(&folder).await;
    assert_eq!(Ask::new().of(&store).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
    assert_eq!(
        why(payments.open("r-1", 5).await),
        RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
    );
    assert_eq!(payments.lines().len(), 1);
}
