//! PostgreSQL.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::OnceLock;

use super::binaries::{command, find, is_running, output, report_skip, unprivileged};
use super::directory::{directory, succeeds};
use super::server_process::{ServerProcess, Signal};
use super::{free_port, until};

/// A PostgreSQL server whose superuser is `postgres`, without a password. `fsync` is off: only a
/// crash of the machine loses data.
#[derive(Debug)]
pub struct Postgres {
    process: ServerProcess,
}

impl Deref for Postgres {
    type Target = ServerProcess;

    fn deref(&self) -> &ServerProcess {
        &self.process
    }
}

impl Postgres {
    /// Returns the shared server of this process, where each test has separate tables; `None` if
    /// PostgreSQL is not installed.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[])).as_ref()
    }

    /// Starts a server with these settings, such as `max_connections=5`; `None` if PostgreSQL is
    /// not installed.
    pub fn start(settings: &[&str]) -> Option<Self> {
        let (Some(postgres), Some(initdb)) = (find("postgres"), find("initdb")) else {
            report_skip("postgres");
            return None;
        };
        let user = unprivileged();
        let directory = directory("postgres", user);
        copy(&template(&postgres, &initdb, user), &directory.join("data"));

        let port = free_port();
        let mut command = command(user, &postgres);
        command.extend(["-D".into(), directory.join("data").display().to_string()]);
        command.extend(["-k".into(), directory.display().to_string()]);
        command.extend(["-h".into(), "127.0.0.1".into(), "-p".into(), port.to_string()]);
        let fast = ["fsync=off", "full_page_writes=off", "shared_buffers=16MB"];
        for setting in fast.iter().chain(settings) {
            command.extend(["-c".into(), (*setting).to_owned()]);
        }
        let server =
            Self { process: ServerProcess::start(directory, port, Signal::Quit, &command) };
        server.until_ready();
        Some(server)
    }

    /// Returns the URL of this server.
    pub fn url(&self) -> String {
        Self::url_at(self.port())
    }

    /// Returns the URL for another port, such as the port of a proxy.
    pub fn url_at(port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable")
    }

    /// Stops the server, and returns after the end of all its processes.
    pub fn stop(&self, signal: Signal) {
        // The processes briefly outlive a killed server and hold the shared memory that the next
        // server needs.
        let children = output("pgrep", &["-P", &self.id()]).unwrap_or_default();
        self.process.stop(signal);
        let children: Vec<&str> = children.lines().collect();
        until("the end of the server's processes", || !children.iter().any(|id| is_running(id)));
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
        let file = self.process.directory().join("data/postmaster.pid");
        let id = self.id();
        self.process.until_ready(|| {
            let file = fs::read_to_string(&file).unwrap_or_default();
            let mut lines = file.lines();
            lines.next() == Some(&id) && lines.last().is_some_and(|state| state.trim() == "ready")
        });
    }
}

/// Returns the data of a new server, created once for all test binaries, because a copy takes a
/// twentieth of the time of `initdb`.
fn template(postgres: &Path, initdb: &Path, user: Option<&str>) -> PathBuf {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    let make = || {
        let version = Command::new(postgres).arg("--version").output().expect("the program exists");
        let version =
            String::from_utf8_lossy(&version.stdout).replace(|c: char| !c.is_alphanumeric(), "");
        let name = format!("template-{version}-{}", user.unwrap_or("self"));
        let template = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if !template.exists() {
            let made = directory("initdb", user);
            let data = made.join("data").display().to_string();
            let mut initdb = command(user, initdb);
            initdb.extend(["-D".into(), data.clone()]);
            initdb
                .extend("-U postgres -A trust -E UTF8 --locale=C -N".split(' ').map(str::to_owned));
            let output =
                Command::new(&initdb[0]).args(&initdb[1..]).output().expect("the program exists");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            // A temporary name, until the directory is complete: another binary may create the
            // template too.
            let unfinished = template.with_extension(process::id().to_string());
            copy(Path::new(&data), &unfinished);
            if fs::rename(&unfinished, &template).is_err() {
                let _ = fs::remove_dir_all(&unfinished);
            }
            let _ = fs::remove_dir_all(&made);
        }
        template
    };
    TEMPLATE.get_or_init(make).clone()
}

/// Copies a directory with the owners of the files.
fn copy(from: &Path, to: &Path) {
    let paths = [from, to].map(|path| path.to_str().expect("a UTF-8 path"));
    assert!(succeeds("cp", &["-a", paths[0], paths[1]]), "{} is not copied", from.display());
}
