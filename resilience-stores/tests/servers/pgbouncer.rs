//! `PgBouncer`.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::binaries::{command, find, output, report_skip, unprivileged};
use super::directory::directory;
use super::free_port;
use super::postgres::Postgres;
use super::server_process::{ServerProcess, Signal};

/// A `PgBouncer`, in transaction mode by default: each transaction of a client may use another
/// server connection.
#[derive(Debug)]
pub struct PgBouncer {
    process: ServerProcess,
}

impl PgBouncer {
    /// Returns a `PgBouncer` in transaction mode before the shared server of this process; `None`
    /// without a version that supports prepared statements.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<PgBouncer>> = OnceLock::new();
        let start = || {
            let server = Postgres::shared()?;
            if !Self::supports_prepared_statements() {
                report_skip("pgbouncer` from 1.21 on, such as that of `scripts/pgbouncer");
                return None;
            }
            Self::to(server, "max_prepared_statements = 100")
        };
        SHARED.get_or_init(start).as_ref()
    }

    /// Starts a `PgBouncer` with two connections to this server for all clients. `settings` has
    /// one setting per line, such as `max_prepared_statements = 100`. Returns `None` if the
    /// program is not installed.
    pub fn to(server: &Postgres, settings: &str) -> Option<Self> {
        let Some(program) = program() else {
            report_skip("pgbouncer");
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
        fs::write(&configuration, lines).expect("a writable directory");
        let mut command = command(user, &program);
        command.push(configuration.display().to_string());
        let process = ServerProcess::start(directory, port, Signal::Kill, &command);
        process.until_ready(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(Self { process })
    }

    /// Returns the URL of the server through `PgBouncer`.
    pub fn url(&self) -> String {
        Postgres::url_at(self.process.port())
    }

    /// Returns whether the version is 1.21 or later, the first with prepared statements.
    fn supports_prepared_statements() -> bool {
        let version = program().and_then(|program| output(program.to_str()?, &["--version"]));
        let minor = version.as_deref().and_then(|version| version.split('.').nth(1)?.parse().ok());
        minor.is_some_and(|minor: u32| minor >= 21)
    }
}

/// The Debian directory of the program is not in every `PATH`.
fn program() -> Option<PathBuf> {
    find("pgbouncer").or_else(|| find("../sbin/pgbouncer"))
}
