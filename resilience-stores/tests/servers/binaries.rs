//! Where the programs are, and as whom they run.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Says that a program is missing, and that a test is skipped for it; where nothing may be skipped, fails.
pub fn skipped(program: &str) {
    assert!(env::var_os("RESILIENCE_CI").is_none(), "there is no `{program}` on this machine");
    // Written past the test harness, which would keep it to itself.
    let words = format!("skipped: there is no `{program}` on this machine");
    writeln!(std::io::stderr(), "{words}").expect("somebody reads it");
}

/// A program of `PATH`, or of the newest PostgreSQL where Debian keeps it.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<_> = debian.map(|version| version.path()).collect();
    versions.sort_by_key(|version| version.file_name()?.to_str()?.parse::<u32>().ok());
    let versions = versions.into_iter().rev().map(|version| version.join("bin"));
    env::split_paths(&path)
        .chain(versions)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// The user that servers run as where the tests run as root, because PostgreSQL refuses to.
pub fn unprivileged() -> Option<&'static str> {
    let is_root = asked("id", &["-u"]).is_some_and(|id| id == "0");
    is_root.then(|| if asked("id", &["-u", "postgres"]).is_some() { "postgres" } else { "nobody" })
}

/// A command that runs the program as this user, as the very process.
pub fn command(user: Option<&str>, program: &Path) -> Vec<String> {
    let program = program.display().to_string();
    let Some(user) = user else { return vec![program] };
    let group = asked("id", &["-gn", user]).expect("the group of a user that there is");
    let as_user = [format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".into()];
    ["setpriv".to_owned()].into_iter().chain(as_user).chain([program]).collect()
}

/// What a program prints, if it succeeds.
pub fn asked(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let printed = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| printed.trim().to_owned())
}

/// Whether a process is there. One that has ended and that nobody has waited for is not.
pub fn is_running(id: &str) -> bool {
    asked("ps", &["-o", "stat=", "-p", id]).is_some_and(|state| !state.starts_with('Z'))
}
