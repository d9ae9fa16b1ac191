//! Redis.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::Deref;
use std::sync::OnceLock;
use std::time::Duration;

use super::binaries::{find, skipped};
use super::directory::directory;
use super::free_port;
use super::kept::{Kept, Signal};

/// A Redis that writes down every command, and knows its data again after `restart`.
#[derive(Debug)]
pub struct Redis {
    kept: Kept,
}

impl Deref for Redis {
    type Target = Kept;

    fn deref(&self) -> &Kept {
        &self.kept
    }
}

impl Redis {
    /// The server that the tests of this process share, each with keys of its own; `None` if Redis is not
    /// installed.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Redis>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[])).as_ref()
    }

    /// A server with these settings, such as `--maxmemory 1mb` by word; `None` if Redis is not installed.
    pub fn start(settings: &[&str]) -> Option<Self> {
        let Some(redis) = find("redis-server") else {
            skipped("redis-server");
            return None;
        };
        let directory = directory("redis", None);
        let port = free_port();
        let (redis, port_word) = (redis.display().to_string(), port.to_string());
        let path = directory.display().to_string();
        let own = [&redis, "--port", &port_word, "--bind", "127.0.0.1", "--dir", &path];
        let durable = ["--save", "", "--appendonly", "yes", "--appendfsync", "no"];
        let command = own.iter().chain(&durable).chain(settings);
        let command: Vec<String> = command.map(|word| (*word).to_owned()).collect();
        let server = Self { kept: Kept::start(directory, port, Signal::Kill, &command) };
        server.until_ready();
        Some(server)
    }

    /// For a client of this server.
    pub fn url(&self) -> String {
        Self::url_at(self.port())
    }

    /// For a client that comes by another port, that of a proxy.
    pub fn url_at(port: u16) -> String {
        format!("redis://127.0.0.1:{port}")
    }

    /// Starts the server that was stopped, on the same port and data.
    pub fn start_again(&self) {
        self.kept.start_again();
        self.until_ready();
    }

    /// Stops the server, and starts it again on the same port and data.
    pub fn restart(&self, signal: Signal) {
        self.stop(signal);
        self.start_again();
    }

    fn until_ready(&self) {
        self.kept.until_ready(|| answers_ping(self.port()));
    }
}

/// Whether commands are answered: not while the data are loaded.
fn answers_ping(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let mut answer = [0; 7];
    stream.write_all(b"PING\r\n").is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && &answer == b"+PONG\r\n"
}
