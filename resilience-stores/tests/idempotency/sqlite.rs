//! SQLite.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::{env, fs, process};

use resilience::stores::SqliteStore;

/// A folder for a database, which goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("resilience-{}-{}", process::id(), NEXT.fetch_add(1, Relaxed));
        let folder = env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("records.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

mod conformance {
    use super::*;

    /// The database goes with the test, whose thread is its own.
    async fn store() -> SqliteStore {
        thread_local! {
            static FOLDER: Folder = Folder::new();
        }
        let path = FOLDER.with(Folder::database);
        SqliteStore::open(path).await.unwrap()
    }

    resilience::store_conformance!(store);
}
