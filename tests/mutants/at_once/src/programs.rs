//! Runs tests with and without a change.

use crate::in_parallel;
use crate::tree::Executable;
use std::collections::HashSet;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// A passing test.
pub(crate) struct Test<'a> {
    executable: &'a Executable,
    name: String,
    /// The time without a change.
    time: Duration,
    /// The number of caught changes.
    catches: AtomicU32,
    /// The reached changes.
    reached: HashSet<usize>,
}

/// Seconds of processor time, and kibibytes of memory: a change can make a loop endless.
const LIMITS: &str = "ulimit -t 30 -v 8000000; exec \"$@\"";

/// Runs each test alone and without a change. Returns the tests that pass.
pub(crate) fn trace(executables: &[Executable]) -> Vec<Test<'_>> {
    let names = |executable| names(executable).into_iter().map(move |name| (executable, name));
    let tests: Vec<_> = executables.iter().flat_map(names).collect();
    let tests = in_parallel(&tests, |(executable, name)| {
        let test = trace_test(executable, name);
        if test.is_none() {
            eprintln!("left out, because it fails without a change: {} {name}", executable.name);
        }
        test
    });
    let tests: Vec<Test<'_>> = tests.into_iter().flatten().collect();
    eprintln!("{} tests", tests.len());
    tests
}

fn names(executable: &Executable) -> Vec<String> {
    let list = command(executable).args(["--list", "--format", "terse"]).output();
    let list = String::from_utf8(list.expect("a test program").stdout).expect("names of tests");
    list.lines().filter_map(|line| Some(line.strip_suffix(": test")?.to_owned())).collect()
}

fn trace_test<'a>(executable: &'a Executable, name: &str) -> Option<Test<'a>> {
    let file = format!("{}-{}.trace", executable.name, name.replace("::", "-"));
    let path = executable.path.with_file_name(file);
    let mut command = test_command(executable, name);
    command.env("MUTANT_TRACE", &path);
    let start = Instant::now();
    let passes = ends_well(command.spawn().ok()?, Duration::from_secs(300)) == Some(true);
    let time = start.elapsed();
    let numbers = fs::read_to_string(&path).unwrap_or_default();
    let _ = fs::remove_file(&path);
    let reached = numbers.lines().filter_map(|line| line.parse().ok()).collect();
    passes.then(|| Test {
        executable,
        name: name.to_owned(),
        time,
        catches: AtomicU32::new(0),
        reached,
    })
}

/// Runs the tests that reach a change, until a test fails.
pub(crate) fn run(change: usize, tests: &[Test<'_>]) -> String {
    let reaches = |test: &&Test<'_>| test.reached.contains(&change);
    let mut reaching: Vec<_> = tests.iter().filter(reaches).collect();
    if reaching.is_empty() {
        return "survived: no test reaches the change".to_owned();
    }
    // The test with the most expected catches for its time comes first.
    reaching.sort_by_key(|test| test.time / (1 + test.catches.load(Relaxed)));
    for test in reaching {
        let mut command = test_command(test.executable, &test.name);
        command.env("MUTANT", change.to_string());
        let limit = test.time * 20 + Duration::from_secs(10);
        let how = match ends_well(command.spawn().expect("a test program"), limit) {
            Some(true) => continue,
            Some(false) => "caught",
            None => "no end",
        };
        test.catches.fetch_add(1, Relaxed);
        return format!("{how}: {} {}", test.executable.name, test.name);
    }
    "survived".to_owned()
}

/// Runs all tests of programs that have been built with a change, until a program fails.
pub(crate) fn run_all(executables: &[Executable]) -> String {
    for executable in executables {
        let mut command = command(executable);
        let child = command.stdout(Stdio::null()).spawn().expect("a test program");
        let how = match ends_well(child, Duration::from_secs(300)) {
            Some(true) => continue,
            Some(false) => "caught",
            None => "no end",
        };
        return format!("{how}: {}", executable.name);
    }
    "survived".to_owned()
}

fn command(executable: &Executable) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", LIMITS, "sh"]).arg(&executable.path).current_dir(&executable.folder);
    command.env("CARGO_MANIFEST_DIR", &executable.folder).env("RUST_BACKTRACE", "0");
    // The processes of a test end with the test.
    command.process_group(0).stdin(Stdio::null()).stderr(Stdio::null());
    command
}

fn test_command(executable: &Executable, name: &str) -> Command {
    let mut command = command(executable);
    command.args(["--exact", name, "--test-threads=1"]).stdout(Stdio::null());
    command
}

/// Waits for the end. Returns `None` and ends the processes at the limit of the time.
fn ends_well(mut child: Child, limit: Duration) -> Option<bool> {
    let end = Instant::now() + limit;
    let status = loop {
        if let Ok(Some(status)) = child.try_wait() {
            break Some(status.success());
        }
        if Instant::now() >= end {
            break None;
        }
        thread::sleep(Duration::from_millis(2));
    };
    if status != Some(true) {
        let group = format!("-{}", child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = child.wait();
    }
    status
}
