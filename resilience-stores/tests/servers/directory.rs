//! Directories for servers.

use std::path::PathBuf;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs};

/// Creates a new directory, owned by this user.
pub fn directory(name: &str, user: Option<&str>) -> PathBuf {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let directory = env::temp_dir().join(format!("resilience-{name}-{}-{number}", process::id()));
    fs::create_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    if let Some(user) = user {
        let path = directory.to_str().expect("a UTF-8 path");
        assert!(succeeds("chown", &[user, path]), "{path} is not given to {user}");
    }
    directory
}

/// Returns whether a program succeeds.
pub fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}
