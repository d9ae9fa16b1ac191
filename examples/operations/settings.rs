//! The settings file: loaded at the start, and again after each change.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use resilience::load_settings;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// Loads the file, and again whenever the time of its last change differs. A file with a mistake
/// changes no setting.
pub(crate) async fn follow(path: PathBuf) {
    let mut loaded = None;
    loop {
        let file = path.clone();
        let changed = spawn_blocking(move || fs::metadata(file).and_then(|it| it.modified()).ok());
        let changed = changed.await.ok();
        if changed != loaded {
            loaded = changed;
            let file = path.clone();
            // A panic of the task would be a defect of the library, and has printed its message.
            let _ = spawn_blocking(move || load(&file)).await;
        }
        sleep(Duration::from_millis(500)).await;
    }
}

fn load(path: &Path) {
    match load_settings(path) {
        Ok(loaded) => println!("{}: {} settings", path.display(), loaded.settings),
        Err(mistakes) => println!("{mistakes}"),
    }
}
