//! Redis.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::Deref;
use std::sync::OnceLock;
use std::time::Duration;

use super::binaries::{find, report_skip};
use super::directory::directory;
use super::free_port;
use super::server_process::{ServerProcess, Signal};

/// A Redis server that logs every command to disk and restores the data after `restart`.
#[derive(Debug)]
pub struct Redis {
    process: ServerProcess,
}

impl Deref for Redis {
    type Target = ServerProcess;

    fn deref(&self) -> &ServerProcess {
        &self.process
    }
}

impl Redis {
    /// Returns the shared server of this process, where each test has separate keys; `None` if
    /// Redis is not installed.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Redis>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[])).as_ref()
    }

    /// Starts a server with these settings, such as `--maxmemory 1mb` as two words; `None` if
    /// Redis is not installed.
    pub fn start(settings: &[&str]) -> Option<Self> {
        let Some(redis) = find("redis-server") else {
            report_skip("redis-server");
            return None;
        };
        let directory = directory("redis", None);
        let port = free_port();
        let (redis, port_word) = (redis.display().to_string(), port.to_string());
        let path = directory.display().to_string();
        let base = [&redis, "--port", &port_word, "--bind", "127.0.0.1", "--dir", &path];
        let durable = ["--save", "", "--appendonly", "yes", "--appendfsync", "no"];
        let command = base.iter().chain(&durable).chain(settings);
        let command: Vec<String> = command.map(|word| (*word).to_owned()).collect();
        let server =
            Self { process: ServerProcess::start(directory, port, Signal::Kill, &command) };
        server.until_ready();
        Some(server)
    }

    /// Returns the URL of this server.
    pub fn url(&self) -> String {
        Self::url_at(self.port())
    }

    /// Returns the URL for another port, such as the port of a proxy.
    pub fn url_at(port: u16) -> String {
        format!("redis://127.0.0.1:{port}")
    }

    /// Starts a stopped server again, with the same port and data.
    pub fn start_again(&self) {
        self.process.start_again();
        self.until_ready();
    }

    /// Stops the server, and starts the server again with the same port and data.
    pub fn restart(&self, signal: Signal) {
        self.stop(signal);
        self.start_again();
    }

    fn until_ready(&self) {
        self.process.until_ready(|| answers_ping(self.port()));
    }
}

/// Returns whether the server answers commands, which fails while data is loading.
fn answers_ping(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let mut answer = [0; 7];
    stream.write_all(b"PING\r\n").is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && &answer == b"+PONG\r\n"
}
