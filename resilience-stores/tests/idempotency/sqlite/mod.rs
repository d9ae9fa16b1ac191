//! SQLite.

mod damaged;
mod full;
mod locked;
mod long_transactions;
mod privacy;
mod processes;
mod restarts;
mod time;
mod virtual_time;

use resilience::stores::SqliteStore;

use crate::folder::Folder;

mod conformance {
    use super::*;

    /// The database is removed after the test, which has a separate thread.
    async fn store() -> SqliteStore {
        thread_local! {
            static FOLDER: Folder = Folder::new();
        }
        let path = FOLDER.with(Folder::database);
        SqliteStore::open(path).await.unwrap()
    }

    resilience::store_conformance!(store, keys = crate::races());
}
