//! The data visible in the files.

use std::fs;

use resilience::stores::SqliteStore;

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
