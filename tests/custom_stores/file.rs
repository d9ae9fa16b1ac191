//! Records in files.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::{env, fs, process};

use resilience::{Rejected, idempotent};

use crate::file_store::FileStore;

/// A directory that is removed on drop.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, SeqCst);
        Self(env::temp_dir().join(format!("custom-stores-{}-{number}", process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

mod conformance {
    use std::future::{Ready, ready};
    use std::sync::LazyLock;

    use super::*;

    /// Every test uses the same directory, as processes with other records do.
    fn store() -> Ready<FileStore> {
        static STORE: LazyLock<FileStore> = LazyLock::new(|| {
            let folder = format!("{}/file-store-{}", env!("CARGO_TARGET_TMPDIR"), process::id());
            FileStore::open(folder).unwrap()
        });
        ready(STORE.clone())
    }

    resilience::store_conformance!(store, keys = 5);
}

struct Shop {
    store: FileStore,
    runs: Arc<AtomicU32>,
}

impl Shop {
    #[idempotent(store = self.store, key = id, scope = "global", name = "shop.order")]
    async fn order(&self, id: u32) -> Result<u32, Rejected> {
        Ok(self.runs.fetch_add(1, SeqCst) + 1)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_survive_the_store() {
    let (folder, runs) = (Folder::new(), Arc::new(AtomicU32::new(0)));
    for _ in 0..3 {
        let store = FileStore::open(&folder.0).unwrap();
        assert_eq!(Shop { store, runs: Arc::clone(&runs) }.order(1).await, Ok(1));
    }
    // Two stores on one directory exclude each other, as two processes do.
    let shops = [(); 8].map(|()| {
        let shop = Shop { store: FileStore::open(&folder.0).unwrap(), runs: Arc::clone(&runs) };
        tokio::spawn(async move { shop.order(2).await })
    });
    for shop in shops {
        assert_eq!(shop.await.unwrap(), Ok(2));
    }
}
