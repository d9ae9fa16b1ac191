//! The `curl` lines of `examples/resilient_api/README.md`, run against the example itself.
//!
//! What the README shows must be what comes, but for the dates and the ports.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

const EXAMPLE: &str = "resilient_api";
/// Where the README has the server.
const SHOWN: &str = "http://127.0.0.1:3000";

#[test]
fn the_readme_shows_what_the_example_does() {
    if !has_curl() {
        assert!(env::var_os("RESILIENCE_CI").is_none(), "there is no `curl`");
        // Written past the test harness, which would keep it to itself.
        let words = "SKIPPED: there is no `curl` with `--parallel` (7.66 or newer) on this machine";
        writeln!(std::io::stderr(), "{words}").expect("somebody reads it");
        return;
    }
    let steps = steps();
    assert!(steps.len() > 30, "the section is longer than that");
    let database = Database::new();
    let mut server: Option<Server> = None;
    for (line, shown) in &steps {
        if line.starts_with("cargo run ") {
            // Stopped first, because it is started again.
            drop(server.take());
            let started = Server::start(&arguments(line, &database));
            assert_eq!(without_ports(&started.announced), without_ports(shown));
            server = Some(started);
            continue;
        }
        let server = server.as_ref().expect("it is started first");
        let printed = curl(&line.replace(SHOWN, &server.url));
        assert_eq!(without_dates(&printed), without_dates(shown), "$ {line}");
    }
}

/// The arguments of a line that starts the server: the same, with a port and a file of the test's own.
fn arguments(line: &str, database: &Database) -> Vec<String> {
    let (cargo, arguments) = line.split_once(" -- ").expect("arguments");
    assert_eq!(cargo, format!("cargo run --example {EXAMPLE}"));
    let arguments = arguments.split(' ').map(|argument| match argument {
        "3000" => "0".to_owned(),
        "payments.db" => database.0.to_str().expect("text").to_owned(),
        argument => argument.to_owned(),
    });
    arguments.collect()
}

/// The file of the payments, and those that SQLite puts beside it, until they are dropped.
struct Database(PathBuf);

impl Database {
    fn new() -> Self {
        let name = format!("payments-{}.db", std::process::id());
        let database = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        database.remove();
        database
    }

    fn remove(&self) {
        for suffix in ["", "-wal", "-shm"] {
            let mut path = self.0.clone().into_os_string();
            path.push(suffix);
            _ = fs::remove_file(path);
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.remove();
    }
}

fn has_curl() -> bool {
    let help = Command::new("curl").args(["--parallel", "--version"]).output();
    help.is_ok_and(|help| help.status.success())
}

/// The commands of the section, each with what it prints.
fn steps() -> Vec<(String, String)> {
    let readme = include_str!("../examples/resilient_api/README.md");
    let blocks = readme.split("```console\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap_or_default());
    let steps = blocks.flat_map(|block| block.split("$ ").skip(1));
    let steps = steps.filter_map(|step| step.split_once('\n'));
    steps.map(|(line, shown)| (line.to_owned(), shown.trim().to_owned())).collect()
}

/// What a line of `curl` prints. (A shell would only take the quotes away.)
fn curl(line: &str) -> String {
    let mut words = Vec::new();
    for (number, part) in line.split('\'').enumerate() {
        match number % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    let (name, arguments) = words.split_first().expect("a command");
    assert_eq!(name, "curl");
    let output = Command::new("curl")
        .args(["--disable", "--noproxy", "*"]) // nothing of whoever runs the test
        .args(arguments)
        .output()
        .expect("this test needs `curl`");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).replace('\r', "").trim().to_owned()
}

fn without_dates(text: &str) -> String {
    let lines = text.lines().map(|line| if line.starts_with("date: ") { "date" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

fn without_ports(text: &str) -> String {
    let parts = text.split("127.0.0.1:");
    parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit())).collect()
}

/// The example, until it is dropped.
struct Server {
    process: Child,
    announced: String,
    url: String,
}

impl Server {
    fn start(arguments: &[String]) -> Self {
        let mut process = Command::new(example())
            .args(arguments)
            .env_remove("DATABASE")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let output = process.stdout.take().expect("it is piped");
        let mut server = Self { process, announced: String::new(), url: String::new() };
        BufReader::new(output).read_line(&mut server.announced).expect("the example speaks");
        server.announced.truncate(server.announced.trim_end().len());
        let url = server.announced.split_whitespace().find(|word| word.starts_with("http"));
        url.expect("it tells its URL").clone_into(&mut server.url);
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// The example's binary, which stands beside this test's. `cargo test` has built it; with `--test` it
/// has not, so what is missing or out of date is built here.
fn example() -> PathBuf {
    let test = env::current_exe().expect("this test is a file");
    let profile = test.ancestors().nth(2).expect("target/debug/deps/…");
    let binary = profile.join("examples").join(format!("{EXAMPLE}{}", env::consts::EXE_SUFFIX));
    if modified(&binary) < newest_source() {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--example", EXAMPLE, "--target-dir"]);
        build.arg(profile.parent().expect("target/debug"));
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        let status = build.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs");
        assert!(status.success(), "the example does not build");
    }
    binary
}

fn newest_source() -> SystemTime {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(EXAMPLE);
    let files = fs::read_dir(folder).expect("the folder of the example").flatten();
    files.map(|file| modified(&file.path())).max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Long ago, for what is not there.
fn modified(path: &Path) -> SystemTime {
    let time = fs::metadata(path).and_then(|data| data.modified());
    time.unwrap_or(SystemTime::UNIX_EPOCH)
}
