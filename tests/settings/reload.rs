//! Reload of a file, in a child process: by SIGHUP in `examples/reload.rs`, and after a change of
//! the file in `examples/operations`.
#![cfg(unix)]

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

/// The example, ended on drop.
struct Example {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Example {
    fn start(name: &str, arguments: &[&str]) -> Self {
        let mut process = Command::new(example(name))
            .args(arguments)
            .stdout(Stdio::piped())
            .env("RESILIENCE__RELOAD__OTHER__RETRY__ATTEMPTS", "7")
            .spawn()
            .expect("the example starts");
        let output = process.stdout.take().expect("a pipe");
        Self { process, lines: BufReader::new(output).lines() }
    }

    fn hang_up(&self) {
        let process = self.process.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &process]).status().expect("`kill`").success());
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("the example runs").expect("text")
    }

    /// Returns the rest of the next line that starts so.
    fn rest_of_line(&mut self, start: &str) -> String {
        loop {
            if let Some(rest) = self.line().strip_prefix(start) {
                return rest.trim().to_owned();
            }
        }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_hangup_loads_the_file_again_and_a_mistake_changes_nothing() {
    let path = env::temp_dir().join(format!("resilience-reload-{}.toml", std::process::id()));
    let name = path.display().to_string();
    let write = |text: &str| fs::write(&path, text).expect("a file");
    write("['reload::charge'.retry]\nattempts = 4\n");
    let mut example = Example::start("reload", &[&name]);
    assert_eq!(example.line(), "reload::charge.attempts = 4 (File)");
    write("['reload::charge'.retry]\nattempts = 5\n['reload::typo'.retry]\nattempts = 2\n");
    example.hang_up();
    assert_eq!(example.line(), "no policy yet: reload::typo.retry");
    assert_eq!(example.line(), "reload::charge.attempts = 5 (File)");
    write("['reload::charge'.retry]\nattempts = 6\nbase_dela");
    example.hang_up();
    let mistake = example.line();
    assert!(mistake.starts_with(&format!("{name}:3: ")), "{mistake}");
    assert_eq!(example.line(), "reload::charge.attempts = 5 (File)");
    write("");
    example.hang_up();
    assert_eq!(example.line(), "reload::charge.attempts = 3 (Code)");
    drop(example);
    fs::remove_file(&path).expect("the file");
}

#[test]
fn the_example_operations_follows_its_settings_file() {
    let path = env::temp_dir().join(format!("resilience-operations-{}.toml", std::process::id()));
    let name = path.display().to_string();
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/operations/settings.toml");
    fs::copy(own, &path).expect("the file of the example");
    let mut example =
        Example::start("operations", &["--listen", "127.0.0.1:0", "--settings", &name]);
    let page = example.rest_of_line("page, to read:");
    // The value and the origin of a setting, once the first call has listed the breaker.
    let setting = |name: &str| loop {
        let policies = reqwest::blocking::get(format!("{page}/policies")).expect("an answer");
        let policies: Vec<serde_json::Value> = policies.json().expect("JSON");
        let is_it = |it: &&serde_json::Value| {
            it["name"] == "payments::charge" && it["kind"] == "circuit_breaker"
        };
        if let Some(breaker) = policies.iter().find(is_it) {
            let settings = breaker["settings"].as_array().expect("a list");
            let setting = settings.iter().find(|it| it["name"] == name).expect("a setting");
            break (setting["value"].to_string(), setting["origin"].to_string());
        }
    };
    let is = |value: &str, origin: &str| (format!("{value:?}"), format!("{origin:?}"));
    assert_eq!(example.rest_of_line(&name), ": 5 settings");
    assert_eq!(setting("reset_timeout"), is("4s", "file"));
    // Replaced as a whole: the example never reads a half of the file.
    let write = |text: &str| {
        let new = path.with_extension("new");
        fs::write(&new, text).and_then(|()| fs::rename(&new, &path)).expect("a file");
    };
    write("['payments::*'.circuit_breaker]\nfailure_threshold = 9\n");
    assert_eq!(example.rest_of_line(&name), ": 1 settings");
    assert_eq!(setting("failure_threshold"), is("9", "file"));
    assert_eq!(setting("reset_timeout"), is("5s", "code"));
    write("['payments::*'.circuit_breaker]\nfailure_threshold = 0\n");
    let mistake = example.rest_of_line(&name);
    assert!(mistake.starts_with(":2: `circuit_breaker.failure_threshold` is 0"), "{mistake}");
    assert_eq!(setting("failure_threshold"), is("9", "file"));
    drop(example);
    fs::remove_file(&path).expect("the file");
}

/// Returns the binary of the example, and builds the example if a narrow command of cargo has not.
fn example(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the path of the test");
    let profile = test.parent().and_then(|folder| folder.parent()).expect("`target/debug/deps`");
    let binary = profile.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--example", name, "--target-dir"]);
    build.arg(profile.parent().expect("`target`"));
    if profile.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().expect("cargo").success(), "the example does not build");
    binary
}
