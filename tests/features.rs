//! The features, the versions of the clients, and the packages that the library adds to a lock
//! file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the lines of a section of a manifest.
fn section(manifest: &str, name: &str) -> Vec<String> {
    let (_, rest) = manifest.split_once(&format!("\n[{name}]\n")).expect("the section");
    let lines = rest.split("\n[").next().unwrap_or_default().lines();
    lines.filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// Returns the names in front of `=`.
fn keys(lines: &[String]) -> Vec<&str> {
    lines.iter().filter_map(|line| Some(line.split_once(" = ")?.0)).collect()
}

#[test]
fn the_page_lists_every_feature() {
    let page = read("docs/features.md");
    for feature in keys(&section(&read("Cargo.toml"), "features")) {
        let is_listed = feature == "default" || page.contains(&format!("`{feature}`"));
        assert!(is_listed, "docs/features.md does not list `{feature}`");
    }
}

#[test]
fn the_page_states_the_versions_of_the_manifests() {
    let page = read("docs/features.md");
    let mut count = 0;
    for row in page.lines().filter_map(|line| line.strip_prefix("| `")) {
        let cells: Vec<_> = row.split(" | ").collect();
        let [client, version, feature, _] = cells[..] else { continue };
        let client = client.split('`').next().unwrap_or_default();
        let is_older = feature.contains("-0");
        let is_required =
            ["core", "http", "idempotency", "operations", "stores"].iter().any(|name| {
                let manifest = read(format!("resilience-{name}/Cargo.toml"));
                section(&manifest, "dependencies").iter().any(|line| {
                    let Some((key, value)) = line.split_once(" = ") else { return false };
                    let name = if is_older { key.split('_').next() } else { Some(key) };
                    let stated = value.split('"').find(|part| part.starts_with(char::is_numeric));
                    name == Some(client)
                        && key.contains('_') == is_older
                        && stated.is_some_and(|it| {
                            it == version || it.starts_with(&format!("{version}."))
                        })
                })
            });
        assert!(is_required, "no manifest requires `{client}` {version}");
        count += 1;
    }
    assert_eq!(count, 20, "rows of the table");
}

/// Returns the packages in the lock file of a new crate that depends on the library.
fn locked(name: &str, options: &str) -> BTreeSet<String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(folder.join("src")).expect("a folder");
    fs::write(folder.join("src/lib.rs"), "").expect("a source");
    let library = env!("CARGO_MANIFEST_DIR");
    let manifest = format!(
        "[package]\nname = \"user\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         resilience = {{ package = \"resilience-rs\", path = {library:?}{options} }}\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest");
    let lock = folder.join("Cargo.lock");
    if lock.exists() {
        fs::remove_file(&lock).expect("an old lock file");
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["generate-lockfile", "--offline", "--quiet"]).current_dir(&folder);
    assert!(cargo.status().expect("cargo runs").success(), "no lock file for {options:?}");
    let lock = fs::read_to_string(lock).expect("a lock file");
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    names.filter(|name| *name != "user").map(str::to_owned).collect()
}

/// The packages of `docs/features.md`.
const ALWAYS: [&str; 12] = [
    "futures-timer",
    "pin-project-lite",
    "proc-macro2",
    "quote",
    "rand",
    "rand_core",
    "resilience-core",
    "resilience-macros",
    "resilience-rs",
    "resilience-rules",
    "syn",
    "unicode-ident",
];

#[test]
fn a_lock_file_holds_only_packages_that_are_compiled() {
    let mut expected = BTreeSet::from(ALWAYS.map(str::to_owned));
    assert_eq!(locked("without_features", ", default-features = false"), expected);
    expected.insert("tokio".to_owned());
    assert_eq!(locked("default_features", ""), expected);
    let with = |packages: &[&str]| -> BTreeSet<String> {
        let packages = packages.iter().map(|&name| name.to_owned());
        expected.iter().cloned().chain(packages).collect()
    };
    let tracing = ["tracing", "tracing-core"];
    assert_eq!(locked("tracing", ", features = [\"tracing\"]"), with(&tracing));
    // `metrics` itself names `portable-atomic` for platforms without atomics of 64 bits.
    let metrics =
        ["metrics", "portable-atomic", "rapidhash", "resilience-operations", "rustversion"];
    assert_eq!(locked("metrics", ", features = [\"metrics\"]"), with(&metrics));
    // The bridge of `tracing`, for a program with both features.
    let log = ["log", "tracing", "tracing-core"];
    assert_eq!(locked("log", ", features = [\"log\"]"), with(&log));
}

#[test]
fn the_page_states_the_packages_that_idempotent_locks_and_compiles() {
    let locked = locked("idempotent", ", features = [\"idempotent\"]").len();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--prefix", "none", "--no-dedupe", "--edges", "normal,build"]);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("idempotent");
    let tree = cargo.current_dir(folder).output().expect("cargo runs").stdout;
    let tree = String::from_utf8(tree).expect("a text");
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    let compiled = names.filter(|name| *name != "user").collect::<BTreeSet<_>>().len();
    let stated = "`idempotent` compiles 30 packages, and locks about 140.";
    assert!(read("docs/features.md").contains(stated));
    // A new version of a client may lock a few packages more.
    assert!(compiled.abs_diff(30) <= 2 && locked.abs_diff(140) <= 10, "{compiled} {locked}");
}

#[test]
fn the_page_names_every_package_of_the_lock_file() {
    let page = read("docs/features.md");
    for name in ALWAYS.iter().chain(&["tokio"]) {
        assert!(page.contains(&format!("`{name}`")), "docs/features.md does not name `{name}`");
    }
    assert!(page.contains("adds 13 packages to `Cargo.lock`, or 12 with"));
}
