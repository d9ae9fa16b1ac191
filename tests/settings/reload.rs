//! Reload of a file by SIGHUP, in a child process: `examples/reload.rs`.
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
    fn start(settings: &str) -> Self {
        let mut process = Command::new(example())
            .arg(settings)
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
    let mut example = Example::start(&name);
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

/// Returns the binary of the example, and builds the example if a narrow command of cargo has not.
fn example() -> PathBuf {
    let test = env::current_exe().expect("the path of the test");
    let profile = test.parent().and_then(|folder| folder.parent()).expect("`target/debug/deps`");
    let binary = profile.join("examples").join(format!("reload{}", env::consts::EXE_SUFFIX));
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--example", "reload", "--target-dir"]);
    build.arg(profile.parent().expect("`target`"));
    if profile.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().expect("cargo").success(), "the example does not build");
    binary
}
