//! A server process that does not outlive the test.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A signal that stops or pauses a server.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// Stops the server immediately.
    Kill,
    /// Requests a shutdown: PostgreSQL waits for the clients, Redis does not.
    Term,
    /// PostgreSQL: fast shutdown, without waiting for clients.
    Int,
    /// PostgreSQL: immediate shutdown, without a checkpoint.
    Quit,
    /// Pauses the server with open connections, until `Cont`.
    Stop,
    /// Resumes after `Stop`.
    Cont,
}

impl Signal {
    const fn name(self) -> &'static str {
        match self {
            Self::Kill => "KILL",
            Self::Term => "TERM",
            Self::Int => "INT",
            Self::Quit => "QUIT",
            Self::Stop => "STOP",
            Self::Cont => "CONT",
        }
    }
}

/// A directory and the server with this data directory and a port. Both are removed on drop, or
/// when the process ends.
#[derive(Debug)]
pub struct ServerProcess {
    directory: PathBuf,
    port: u16,
    keeper: Mutex<Keeper>,
}

#[derive(Debug)]
struct Keeper {
    process: Child,
    words: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// The process id of the server.
    server: u32,
}

impl ServerProcess {
    /// Runs a command in this directory, for a server on this port.
    pub fn start(directory: PathBuf, port: u16, end_signal: Signal, command: &[String]) -> Self {
        let mut process = Command::new("sh")
            .args(["-c", include_str!("keep.sh"), "keep"])
            .arg(&directory)
            .arg(end_signal.name())
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C is meant for the tests; the keeper notices the end of the tests.
            .process_group(0)
            .spawn()
            .expect("a shell");
        let words = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("a piped stdout"));
        let mut keeper = Keeper { process, words, answers, server: 0 };
        keeper.server = keeper.read_line().parse().expect("a process id");
        Self { directory, port, keeper: Mutex::new(keeper) }
    }

    /// Returns the data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the process id of the server.
    pub fn id(&self) -> String {
        self.keeper().server.to_string()
    }

    /// Sends a signal, without waiting for the effect.
    pub fn signal(&self, signal: Signal) {
        assert_eq!(self.keeper().request(signal.name()), "sent", "{}", self.log());
    }

    /// Stops the server, and returns after the end of the process.
    pub fn stop(&self, signal: Signal) {
        self.signal(signal);
        assert_eq!(self.keeper().request("wait"), "ended");
    }

    /// Starts a stopped server again.
    pub fn start_again(&self) {
        let mut keeper = self.keeper();
        keeper.server = keeper.request("start").parse().expect("a process id");
    }

    /// Waits until the server is ready.
    pub fn until_ready(&self, mut ready: impl FnMut() -> bool) {
        let start = Instant::now();
        while !ready() {
            assert!(start.elapsed() < Duration::from_secs(20), "no server: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Returns the log of the server.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    fn keeper(&self) -> MutexGuard<'_, Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper {
    fn request(&mut self, word: &str) -> String {
        let words = self.words.as_mut().expect("stdin stays open");
        writeln!(words, "{word}").expect("the keeper runs");
        self.read_line()
    }

    fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer of the keeper");
        line.trim().to_owned()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.words = None;
        let _ = self.process.wait();
    }
}
