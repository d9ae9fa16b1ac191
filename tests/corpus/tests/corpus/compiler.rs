//! The compiler of this test, with the dependencies of this test.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use compiler_args::compiler_args;

/// The crates that the functions name.
const CRATES: [&str; 2] = ["resilience", "async_trait"];

/// Returns the path of rustc.
pub(crate) fn rustc() -> PathBuf {
    let [path, ..] = &compiler_args!();
    PathBuf::from(path)
}

/// Compiles a file. `driver` is rustc or Clippy.
pub(crate) fn compile(driver: &Path, edition: &str, source: &Path, args: &[String]) -> Output {
    let [_, given @ ..] = &compiler_args!();
    let mut command = Command::new(driver);
    for pair in given.windows(2) {
        let is_dependency = match pair[0] {
            "--extern" => CRATES.contains(&pair[1].split('=').next().unwrap_or_default()),
            "-L" | "--target" => true,
            _ => false,
        };
        if is_dependency {
            command.args(pair);
        }
    }
    command.args(["--crate-name=corpus", &format!("--edition={edition}")]);
    command.args(args).arg(source).output().expect("the compiler runs")
}

/// Returns an empty folder for the files of a test.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a writable folder");
    folder
}
