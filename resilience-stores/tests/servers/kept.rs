//! A process that does not outlive its test.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How a server is stopped.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// At once: the server cannot say goodbye.
    Kill,
    /// The server's own way of being asked: PostgreSQL waits for its clients, Redis does not.
    Term,
    /// PostgreSQL: without waiting for clients.
    Int,
    /// PostgreSQL: without writing anything down.
    Quit,
    /// The server stands still, and its connections stay open, until `Cont`.
    Stop,
    /// After `Stop`.
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

/// A directory and the server that works in it and listens on a port. Both go when this is dropped, or when the
/// process ends.
#[derive(Debug)]
pub struct Kept {
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

impl Kept {
    /// Runs a command that works in this directory and listens there.
    pub fn start(directory: PathBuf, port: u16, at_the_end: Signal, command: &[String]) -> Self {
        let mut process = Command::new("sh")
            .args(["-c", include_str!("keep.sh"), "keep"])
            .arg(&directory)
            .arg(at_the_end.name())
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C is for the tests, of which this one sees the end.
            .process_group(0)
            .spawn()
            .expect("there is a shell");
        let words = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut keeper = Keeper { process, words, answers, server: 0 };
        keeper.server = keeper.heard().parse().expect("a process id");
        Self { directory, port, keeper: Mutex::new(keeper) }
    }

    /// Where its data are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the server.
    pub fn id(&self) -> String {
        self.keeper().server.to_string()
    }

    /// Sends a signal, and does not wait for what comes of it.
    pub fn signal(&self, signal: Signal) {
        assert_eq!(self.keeper().asked(signal.name()), "sent", "{}", self.log());
    }

    /// Stops the server, and returns when it is gone.
    pub fn stop(&self, signal: Signal) {
        self.signal(signal);
        assert_eq!(self.keeper().asked("wait"), "ended");
    }

    /// Starts the server again. It has ended.
    pub fn start_again(&self) {
        let mut keeper = self.keeper();
        keeper.server = keeper.asked("start").parse().expect("a process id");
    }

    /// Waits for the server to be ready.
    pub fn until_ready(&self, mut ready: impl FnMut() -> bool) {
        let start = Instant::now();
        while !ready() {
            assert!(start.elapsed() < Duration::from_secs(20), "no server: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// What the server has written.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    fn keeper(&self) -> MutexGuard<'_, Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper {
    fn asked(&mut self, word: &str) -> String {
        let words = self.words.as_mut().expect("it is open until the end");
        writeln!(words, "{word}").expect("the keeper listens");
        self.heard()
    }

    fn heard(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the keeper answers");
        line.trim().to_owned()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.words = None;
        let _ = self.process.wait();
    }
}
