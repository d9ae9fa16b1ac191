//! PostgreSQL.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::OnceLock;

use super::binaries::{asked, command, find, is_running, skipped, unprivileged};
use super::directory::{directory, runs};
use super::kept::{Kept, Signal};
use super::{free_port, until};

/// A PostgreSQL whose superuser is `postgres`, without a password. It forgets what a crash of the machine
/// would lose, and nothing else.
#[derive(Debug)]
pub struct Postgres {
    kept: Kept,
}

impl Deref for Postgres {
    type Target = Kept;

    fn deref(&self) -> &Kept {
        &self.kept
    }
}

impl Postgres {
    /// The server that the tests of this process share, each with tables of its own; `None` if PostgreSQL
    /// is not installed.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[])).as_ref()
    }

    /// A server with these settings, such as `max_connections=5`; `None` if PostgreSQL is not installed.
    pub fn start(settings: &[&str]) -> Option<Self> {
        let (Some(postgres), Some(initdb)) = (find("postgres"), find("initdb")) else {
            skipped("postgres");
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
        let server = Self { kept: Kept::start(directory, port, Signal::Quit, &command) };
        server.until_ready();
        Some(server)
    }

    /// For a client of this server.
    pub fn url(&self) -> String {
        Self::url_at(self.port())
    }

    /// For a client that comes by another port, that of a proxy.
    pub fn url_at(port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable")
    }

    /// Stops the server, and returns when it and the processes of its connections are gone.
    pub fn stop(&self, signal: Signal) {
        // They outlive one that was killed for a moment, and keep its memory, which the next one wants.
        let children = asked("pgrep", &["-P", &self.id()]).unwrap_or_default();
        self.kept.stop(signal);
        let children: Vec<&str> = children.lines().collect();
        until("the end of the server's processes", || !children.iter().any(|id| is_running(id)));
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
        let file = self.kept.directory().join("data/postmaster.pid");
        let id = self.id();
        self.kept.until_ready(|| {
            let file = fs::read_to_string(&file).unwrap_or_default();
            let mut lines = file.lines();
            lines.next() == Some(&id) && lines.last().is_some_and(|state| state.trim() == "ready")
        });
    }
}

/// The data of a new server, made once for all test binaries, because a copy takes a twentieth of the time.
fn template(postgres: &Path, initdb: &Path, user: Option<&str>) -> PathBuf {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    let make = || {
        let version = Command::new(postgres).arg("--version").output().expect("it has been found");
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
            let output = Command::new(&initdb[0]).args(&initdb[1..]).output().expect("it is found");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            // By another name until it is whole: another binary may be doing the same.
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

/// A copy with the owners of the original.
fn copy(from: &Path, to: &Path) {
    let paths = [from, to].map(|path| path.to_str().expect("a path of ours"));
    assert!(runs("cp", &["-a", paths[0], paths[1]]), "{} is not copied", from.display());
}
