//! The rules of this repository that no compiler checks.

mod architecture;
mod examples;
mod links;
mod messages;
mod prose;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

/// The folders with the sources of the crates.
const SOURCES: [&str; 8] = [
    "src",
    "resilience-core/src",
    "resilience-http/src",
    "resilience-idempotency/src",
    "resilience-macros/src",
    "resilience-operations/src",
    "resilience-rules/src",
    "resilience-stores/src",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Reads a file of the repository.
fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Lists the files with one of these extensions below a folder, or the file itself, sorted. Paths
/// are relative to the root.
fn files(place: impl AsRef<Path>, extensions: &[&str]) -> Vec<PathBuf> {
    let place = place.as_ref();
    let mut found = Vec::new();
    if root().join(place).is_file() {
        found.push(place.to_owned());
    }
    for entry in fs::read_dir(root().join(place)).into_iter().flatten().flatten() {
        let path = place.join(entry.file_name());
        if root().join(&path).is_dir() {
            let name = entry.file_name();
            if name != "target" && !name.to_string_lossy().starts_with('.') {
                found.extend(files(&path, extensions));
            }
        } else if path.extension().is_some_and(|end| extensions.iter().any(|it| end == *it)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Splits a text into its words: letters, digits and underscores.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Returns the text of a comment line, without the slashes.
fn comment(line: &str) -> Option<&str> {
    let line = line.trim_start().strip_prefix("//")?;
    let line = line.strip_prefix(['/', '!']).unwrap_or(line);
    Some(line.strip_prefix(' ').unwrap_or(line))
}
