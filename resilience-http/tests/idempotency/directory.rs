//! A directory that is removed again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

pub(crate) struct Directory(PathBuf);

impl Directory {
    /// An empty one. The name has to be that of one test.
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", process::id()));
        _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The bytes of all its files.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let files = fs::read_dir(&self.0).expect("a directory").flatten();
        files.flat_map(|file| fs::read(file.path()).expect("a file")).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}
