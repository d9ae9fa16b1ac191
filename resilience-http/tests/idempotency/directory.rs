//! A temporary directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

pub(crate) struct Directory(PathBuf);

impl Directory {
    /// Creates an empty directory. The name must be unique to a test.
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", process::id()));
        _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Returns the bytes of all files.
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
