//! Child processes: this program runs a single test, which reads a role from the environment.

use std::env;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

const ROLE: &str = "RESILIENCE_TEST_ROLE";

/// Returns the role of this process as words, if this process is a child.
pub(crate) fn role() -> Option<Vec<String>> {
    let role = env::var(ROLE).ok()?;
    Some(role.split('\n').map(str::to_owned).collect())
}

/// Sends a word to the parent test.
pub(crate) fn report(word: &str) {
    // The harness may have started the line.
    let mut out = std::io::stdout();
    writeln!(out, "\nsaid: {word}").unwrap();
}

/// A process, killed on drop.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts the test of this name with a role.
    pub(crate) fn start(test: &str, role: &[&str]) -> Self {
        let program = env::current_exe().unwrap();
        Self::run(Command::new(program), test, role)
    }

    /// Starts the test of this name with a role and a file size limit in bytes. Writes beyond the
    /// limit fail.
    pub(crate) fn start_with_file_limit(bytes: usize, test: &str, role: &[&str]) -> Self {
        let limit = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes / 512);
        let mut command = Command::new("sh");
        command.args(["-c", &limit]).arg(env::current_exe().unwrap());
        Self::run(command, test, role)
    }

    fn run(mut command: Command, test: &str, role: &[&str]) -> Self {
        let mut child = command
            .args([test, "--exact", "--nocapture"])
            .env(ROLE, role.join("\n"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, output }
    }

    /// Returns the next word of the child; `None` after the end of the child.
    pub(crate) fn next_report(&mut self) -> Option<String> {
        self.output
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("said: ").map(str::to_owned))
    }

    /// Returns all words until the end of the child, which must succeed.
    pub(crate) fn wait(mut self) -> Vec<String> {
        let output: Vec<_> = std::iter::from_fn(|| self.next_report()).collect();
        assert!(self.child.wait().unwrap().success(), "{output:?}");
        output
    }

    /// Kills the child with SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a path as a word of a role.
pub(crate) fn word(path: &Path) -> &str {
    path.to_str().unwrap()
}
