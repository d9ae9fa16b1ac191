//! Runs the commands of `examples/resilient_api/README.md` and compares the output, without dates
//! and ports.
//!
//! `BLESS=1 cargo test --test resilient_api` writes the new output into the page.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

const EXAMPLE: &str = "resilient_api";
/// The address of the server in the page.
const SHOWN: &str = "http://127.0.0.1:3000";
/// The number of runs. A busy machine changes times, such as `Retry-After`.
const RUNS: u32 = 5;

#[test]
fn the_readme_shows_what_the_example_does() {
    if !has_curl() {
        assert!(env::var_os("RESILIENCE_CI").is_none(), "there is no `curl`");
        // The test harness does not capture what is written without `print!`.
        let words = "SKIPPED: there is no `curl` with `--parallel` (7.66 or newer) on this machine";
        writeln!(std::io::stderr(), "{words}").expect("stderr is open");
        return;
    }
    let page = fs::read_to_string(page()).expect("the page of the example");
    let steps = steps(&page);
    assert!(steps.len() > 30, "{} commands", steps.len());
    if env::var_os("BLESS").is_some() {
        let mut new = page.clone();
        for (step, output) in steps.iter().zip(run(&steps)) {
            new = new.replace(&step.text(&step.shown), &step.text(&step.with_shown_parts(&output)));
        }
        fs::write(self::page(), new).expect("the page is writable");
        return;
    }
    let mut differences = String::new();
    for _ in 0..RUNS {
        let outputs = run(&steps);
        let different = steps.iter().zip(&outputs).filter(|(step, output)| !step.shows(output));
        let different = different.map(|(step, output)| {
            format!("$ {}\nshown:\n{}\nprinted:\n{output}\n\n", step.line, step.shown)
        });
        differences = different.collect();
        if differences.is_empty() {
            return;
        }
    }
    panic!("{differences}to accept the output: BLESS=1 cargo test --test {EXAMPLE}");
}

/// A deployment: SIGTERM arrives while a payment runs whose client has disconnected.
#[cfg(unix)]
#[test]
fn a_shutdown_waits_for_a_payment_without_a_client() {
    let database = Database::new("shutdown");
    let line = format!("cargo run --example {EXAMPLE} -- --port 3000 --database payments.db");
    let arguments = arguments(&line, &database);
    let mut server = Server::start(&arguments);
    // The second request of a running payment is rejected. If it arrives first, another key is used.
    let key = (0..5).map(|key| format!("key-{key}")).find(|key| {
        let client = server.send_payment(key);
        let is_running = server.pay(key).contains("in-progress");
        drop(client);
        is_running
    });
    let key = key.expect("a running payment");
    let process = server.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &process]).status().expect("`kill`").success());
    assert!(server.process.wait().expect("an end").success());
    drop(server);

    let answer = Server::start(&arguments).pay(&key);
    assert!(answer.contains(r#"{"message":"Request already processed","result":"#), "{answer}");
}

/// Runs all commands and returns the output of each command.
fn run(steps: &[Step]) -> Vec<String> {
    let database = Database::new("payments");
    let mut server: Option<Server> = None;
    let mut outputs = Vec::new();
    for step in steps {
        if step.line.starts_with("cargo run ") {
            // The database has one server at a time.
            drop(server.take());
            let started = server.insert(Server::start(&arguments(&step.line, &database)));
            outputs.push(started.announced.clone());
        } else {
            let server = server.as_ref().expect("the first command starts a server");
            outputs.push(curl(&step.line.replace(SHOWN, &server.url)));
        }
    }
    outputs
}

/// A command of the page, and the output in the page.
struct Step {
    line: String,
    shown: String,
}

impl Step {
    /// The command with an output, as the page contains them.
    fn text(&self, output: &str) -> String {
        format!("$ {}\n{output}", self.line)
    }

    fn shows(&self, output: &str) -> bool {
        plain(&self.shown) == plain(output)
    }

    /// Returns an output with the date and the ports of the page, or the output of the page if
    /// nothing else differs.
    fn with_shown_parts(&self, output: &str) -> String {
        if self.shows(output) {
            return self.shown.clone();
        }
        let date = self.shown.lines().find(|line| line.starts_with("date: "));
        let lines = output.lines().map(|line| match date {
            Some(date) if line.starts_with("date: ") => date,
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Removes the date and the ports from an output.
fn plain(output: &str) -> String {
    let lines = output.lines().map(|line| if line.starts_with("date: ") { "date" } else { line });
    let lines = lines.collect::<Vec<_>>().join("\n");
    let parts = lines.split("127.0.0.1:");
    parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit())).collect()
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(EXAMPLE).join("README.md")
}

/// Returns the arguments of a line that starts the server, with a free port and another database.
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

/// The files of a database, deleted on drop.
struct Database(PathBuf);

impl Database {
    fn new(test: &str) -> Self {
        let name = format!("{test}-{}.db", std::process::id());
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

/// Returns the commands of a page.
fn steps(page: &str) -> Vec<Step> {
    let blocks = page.split("```console\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap_or_default());
    let steps = blocks.flat_map(|block| block.split("$ ").skip(1));
    let steps = steps.filter_map(|step| step.split_once('\n'));
    steps
        .map(|(line, shown)| Step { line: line.to_owned(), shown: shown.trim().to_owned() })
        .collect()
}

/// Runs a line of `curl` without a shell, which would only remove the quotes.
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
        .args(["--disable", "--noproxy", "*"]) // no settings of the user
        .args(arguments)
        .output()
        .expect("this test needs `curl`");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).replace('\r', "").trim().to_owned()
}

/// The running example, ended on drop.
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
        BufReader::new(output).read_line(&mut server.announced).expect("the example prints a line");
        server.announced.truncate(server.announced.trim_end().len());
        let url = server.announced.split_whitespace().find(|word| word.starts_with("http"));
        url.expect("a URL").clone_into(&mut server.url);
        server
    }
}

#[cfg(unix)]
impl Server {
    /// Sends a payment, and returns the connection.
    fn send_payment(&self, key: &str) -> TcpStream {
        let address = self.url.strip_prefix("http://").expect("a URL");
        let mut stream = TcpStream::connect(address).expect("the server listens");
        let request = format!(
            "POST /process-payment HTTP/1.1\r\nhost: api\r\nidempotency-key: {key}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
        );
        stream.write_all(request.as_bytes()).expect("the server reads");
        stream
    }

    /// Sends a payment, and returns the response.
    fn pay(&self, key: &str) -> String {
        let mut response = String::new();
        self.send_payment(key).read_to_string(&mut response).expect("a response");
        response
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// Returns the binary of the example. `cargo test` builds the example, but `cargo test --test …`
/// does not, so this function builds a binary that is missing or out of date.
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

/// Returns the time of the last change, or the Unix epoch for a missing file.
fn modified(path: &Path) -> SystemTime {
    let time = fs::metadata(path).and_then(|data| data.modified());
    time.unwrap_or(SystemTime::UNIX_EPOCH)
}
