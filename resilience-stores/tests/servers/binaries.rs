//! Finds the programs, and the user that runs the servers.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Reports that a program is missing and the test is skipped. Panics if `RESILIENCE_CI` forbids
/// skipping.
pub fn report_skip(program: &str) {
    assert!(env::var_os("RESILIENCE_CI").is_none(), "`{program}` is not installed");
    // Writes directly to stderr, because the test harness captures `eprintln!`.
    let words = format!("skipped: `{program}` is not installed");
    writeln!(std::io::stderr(), "{words}").expect("stderr is open");
}

/// Finds a program in `PATH`, or in the newest PostgreSQL directory of Debian.
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

/// Returns an unprivileged user for servers if the tests run as root, because PostgreSQL refuses
/// to run as root.
pub fn unprivileged() -> Option<&'static str> {
    let is_root = output("id", &["-u"]).is_some_and(|id| id == "0");
    is_root.then(|| if output("id", &["-u", "postgres"]).is_some() { "postgres" } else { "nobody" })
}

/// Returns a command that runs the program as this user, in the same process.
pub fn command(user: Option<&str>, program: &Path) -> Vec<String> {
    let program = program.display().to_string();
    let Some(user) = user else { return vec![program] };
    let group = output("id", &["-gn", user]).expect("the group of the user");
    let as_user = [format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".into()];
    ["setpriv".to_owned()].into_iter().chain(as_user).chain([program]).collect()
}

/// Returns the output of a program, if the program succeeds.
pub fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let printed = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| printed.trim().to_owned())
}

/// Returns whether a process exists. A zombie process does not count.
pub fn is_running(id: &str) -> bool {
    output("ps", &["-o", "stat=", "-p", id]).is_some_and(|state| !state.starts_with('Z'))
}
