//! Other processes: this program, which runs one test and finds a part to play there.

use std::env;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

const PART: &str = "RESILIENCE_TEST_PART";

/// What this process has to do instead of the test, as words.
pub(crate) fn part() -> Option<Vec<String>> {
    let part = env::var(PART).ok()?;
    Some(part.split('\n').map(str::to_owned).collect())
}

/// Says something to the test that has started this process.
pub(crate) fn say(word: &str) {
    // The harness may have begun the line.
    let mut out = std::io::stdout();
    writeln!(out, "\nsaid: {word}").unwrap();
}

/// A process, killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Plays a part of the test of this name.
    pub(crate) fn start(test: &str, part: &[&str]) -> Self {
        let program = env::current_exe().unwrap();
        Self::run(Command::new(program), test, part)
    }

    /// The same, where no file may grow beyond so many bytes, and whoever tries is told.
    pub(crate) fn start_with_files_up_to(bytes: usize, test: &str, part: &[&str]) -> Self {
        let limit = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes / 512);
        let mut command = Command::new("sh");
        command.args(["-c", &limit]).arg(env::current_exe().unwrap());
        Self::run(command, test, part)
    }

    fn run(mut command: Command, test: &str, part: &[&str]) -> Self {
        let mut child = command
            .args([test, "--exact", "--nocapture"])
            .env(PART, part.join("\n"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, said }
    }

    /// The next thing it says, if it says anything before it ends.
    pub(crate) fn heard(&mut self) -> Option<String> {
        self.said
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("said: ").map(str::to_owned))
    }

    /// All that it says until it ends, which has to be well.
    pub(crate) fn ended(mut self) -> Vec<String> {
        let said: Vec<_> = std::iter::from_fn(|| self.heard()).collect();
        assert!(self.child.wait().unwrap().success(), "{said:?}");
        said
    }

    /// SIGKILL.
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

/// A path as one of the words.
pub(crate) fn word(path: &Path) -> &str {
    path.to_str().unwrap()
}
