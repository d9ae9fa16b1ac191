//! The data visible in the files.

use std::fs;
use std::time::Duration;

use resilience::idempotent::Store;
use resilience::stores::SqliteStore;
use sqlx::Executor;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::claims::{ClaimSpec, DAY};
use crate::folder::Folder;
use crate::payments::Payments;

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn no_plain_key_scope_or_payload() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let payments = Payments::new(store.clone(), folder.journal());
    payments.rerun("request-4711", 987_654_321_012).await.unwrap();
    payments.unknown("request-4711", 987_654_321_012).await.unwrap();
    assert!(payments.unknown("request-4711", 1).await.is_err());
    fs::remove_file(folder.journal()).unwrap();
    let mut read = Vec::new();
    for closes in [false, true] {
        if closes {
            store.pool().close().await;
        }
        for file in fs::read_dir(folder.path()).unwrap() {
            read.extend(fs::read(file.unwrap().path()).unwrap());
        }
    }
    // The name of the function is stored in plain text, for people who inspect the records.
    assert!(contains(&read, "payments.charge"));
    for secret in ["request-4711", "4711", "tenant-acme", "acme", "987654321012"] {
        assert!(!contains(&read, secret), "{secret}");
    }
    let number = 987_654_321_012_u64;
    for bytes in [number.to_le_bytes(), number.to_be_bytes()] {
        assert!(!read.windows(8).any(|window| window == bytes));
    }
}

/// Returns the content of all files of the database.
fn read_files(folder: &Folder) -> Vec<u8> {
    let files = fs::read_dir(folder.path()).unwrap();
    files.flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

/// An outcome is overwritten on the disk when its record is purged, forgotten or claimed again.
#[tokio::test]
async fn removed_outcomes_are_overwritten() {
    let token = "sk_live_4711_".repeat(800);
    let folder = Folder::new();
    let opened = SqliteStore::open(folder.database()).await.unwrap();
    let options = SqliteConnectOptions::new().filename(folder.database());
    let pool = SqlitePool::connect_with(options).await.unwrap();
    for store in [opened, SqliteStore::new(pool)] {
        let short = Duration::from_millis(20);
        let [purged, forgotten, claimed] = [(); 3].map(|()| ClaimSpec::new());
        for spec in [purged, forgotten, claimed] {
            let retention = if spec.key == forgotten.key { DAY } else { short };
            spec.complete(&store, token.as_bytes(), retention).await;
        }
        checkpoint(&store).await;
        assert!(contains(&read_files(&folder), "sk_live_4711_"));
        tokio::time::sleep(short).await;
        claimed.other().acquire(&store).await;
        assert!(store.forget(&forgotten.key).await.unwrap());
        assert!(store.purge(9).await.unwrap() >= 1);
        checkpoint(&store).await;
        assert!(!contains(&read_files(&folder), "sk_live_4711_"));
        store.pool().close().await;
    }
}

/// Writes the journal into the database, as SQLite does from time to time.
async fn checkpoint(store: &SqliteStore) {
    store.pool().execute("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
}
