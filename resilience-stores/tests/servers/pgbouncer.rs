//! `PgBouncer`.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::binaries::{asked, command, find, skipped, unprivileged};
use super::directory::directory;
use super::free_port;
use super::kept::{Kept, Signal};
use super::postgres::Postgres;

/// A `PgBouncer`, in its transaction mode if the settings do not say otherwise: each transaction of a client may
/// be on another connection to the server.
#[derive(Debug)]
pub struct PgBouncer {
    kept: Kept,
}

impl PgBouncer {
    /// One in its transaction mode before the server that the tests of this process share; `None` if there is none
    /// that knows prepared statements.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<PgBouncer>> = OnceLock::new();
        let start = || {
            let server = Postgres::shared()?;
            if !Self::knows_statements() {
                skipped("pgbouncer` from 1.21 on, such as that of `scripts/pgbouncer");
                return None;
            }
            Self::to(server, "max_prepared_statements = 100")
        };
        SHARED.get_or_init(start).as_ref()
    }

    /// Two connections to this server for all clients, and settings by line, such as
    /// `max_prepared_statements = 100`; `None` if it is not installed.
    pub fn to(server: &Postgres, settings: &str) -> Option<Self> {
        let Some(program) = program() else {
            skipped("pgbouncer");
            return None;
        };
        let user = unprivileged();
        let directory = directory("pgbouncer", user);
        let port = free_port();
        let configuration = directory.join("pgbouncer.ini");
        let lines = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\npool_mode = transaction\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             default_pool_size = 2\nignore_startup_parameters = extra_float_digits\n{settings}\n",
            server.port()
        );
        fs::write(&configuration, lines).expect("a directory of ours");
        let mut command = command(user, &program);
        command.push(configuration.display().to_string());
        let kept = Kept::start(directory, port, Signal::Kill, &command);
        kept.until_ready(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(Self { kept })
    }

    /// For a client of the server that comes by here.
    pub fn url(&self) -> String {
        Postgres::url_at(self.kept.port())
    }

    /// Those from 1.21 on know prepared statements.
    fn knows_statements() -> bool {
        let version = program().and_then(|program| asked(program.to_str()?, &["--version"]));
        let minor = version.as_deref().and_then(|version| version.split('.').nth(1)?.parse().ok());
        minor.is_some_and(|minor: u32| minor >= 21)
    }
}

/// Where Debian keeps it is not in every `PATH`.
fn program() -> Option<PathBuf> {
    find("pgbouncer").or_else(|| find("../sbin/pgbouncer"))
}
