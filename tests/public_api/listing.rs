//! The public items of each crate are those of the reviewed listing, so that no change of the interface is unannounced.
//!
//! The listings in `tests/public_api` contain one item per line, with all features. `BLESS=1 cargo test -p api-listing`
//! writes them, and the difference belongs to the review of a change. Items that are hidden from the documentation are
//! for generated code and are not listed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The format of rustdoc's output changes with the compiler, and `public-api` reads one format.
const COMPILER: &str = "rustc 1.95.";

const CRATES: &[&str] = &[
    "resilience-rs",
    "resilience-core",
    "resilience-http",
    "resilience-idempotency",
    "resilience-macros",
    "resilience-operations",
    "resilience-rules",
    "resilience-stores",
];

#[test]
fn public_items_are_those_of_the_listing() {
    let version = output(Command::new("rustc").arg("--version"));
    if !version.starts_with(COMPILER) {
        eprintln!("SKIPPED: the listing needs {COMPILER}, and the compiler is {version}");
        return;
    }
    let bless = env::var("BLESS").is_ok_and(|bless| bless == "1");
    let mut differences = String::new();
    for name in CRATES {
        let path = folder().join(format!("{name}.txt"));
        let items = items(name);
        if bless {
            fs::write(&path, items).expect("the listing is writable");
            continue;
        }
        let reviewed = fs::read_to_string(&path).unwrap_or_default();
        differences.push_str(&difference(name, &reviewed, &items));
    }
    assert!(
        differences.is_empty(),
        "the public interface changed; `BLESS=1 cargo test -p api-listing` accepts the change, and CHANGELOG.md \
         announces it:\n{differences}"
    );
}

/// The public items of a crate, one per line, in the order of their paths.
fn items(name: &str) -> String {
    let mut rustdoc = Command::new(env!("CARGO"));
    rustdoc
        .args(["rustdoc", "--quiet", "--lib", "--all-features", "-p", name])
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTDOC", folder().join("rustdoc"))
        .env_remove("RUSTDOCFLAGS");
    output(&mut rustdoc);
    let library = if name == "resilience-rs" { "resilience" } else { name };
    let json = documentation().join(library.replace('-', "_")).with_extension("json");
    let api = public_api::Builder::from_rustdoc_json(&json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .unwrap_or_else(|error| panic!("{}: {error}", json.display()));
    api.items().map(|item| item.to_string() + "\n").collect()
}

/// The lines that only one of two listings contains.
fn difference(name: &str, reviewed: &str, found: &str) -> String {
    let lost = reviewed.lines().filter(|line| !found.lines().any(|other| other == *line));
    let new = found.lines().filter(|line| !reviewed.lines().any(|other| other == *line));
    let lost = lost.map(|line| format!("{name}: - {line}\n"));
    lost.chain(new.map(|line| format!("{name}: + {line}\n"))).collect()
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn documentation() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| folder().join("../../target")).join("doc")
}
