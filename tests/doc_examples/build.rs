//! Collects the code blocks of the doc comments of every crate in one page.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The crates behind the facade, each with at least this many examples.
const CRATES: [(&str, usize); 4] = [("core", 40), ("http", 20), ("idempotency", 8), ("stores", 8)];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut page = String::new();
    for (name, least) in CRATES {
        let folder = root.join(format!("resilience-{name}/src"));
        println!("cargo::rerun-if-changed={}", folder.display());
        let before = page.len();
        for file in sources(&folder) {
            let text = fs::read_to_string(&file).expect("a source is readable");
            let title = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
            append_examples(&mut page, &title, &text);
        }
        let count = page[before..].matches("\n# resilience-").count();
        assert!(count >= least, "{count} examples in resilience-{name}, expected {least}");
    }
    let target = PathBuf::from(env::var_os("OUT_DIR").expect("a folder for the page"));
    fs::write(target.join("examples.md"), page).expect("the page is writable");
}

/// Lists the sources below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder with sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Appends each code block in the doc comments of a source, below a heading with the line.
fn append_examples(page: &mut String, title: &str, source: &str) {
    let mut is_code = false;
    for (index, line) in source.lines().enumerate() {
        let line = line.trim_start();
        let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        let Some(text) = text else {
            assert!(!is_code, "{title}:{}: a code block does not end", index + 1);
            continue;
        };
        let text = text.strip_prefix(' ').unwrap_or(text);
        let is_fence = text.starts_with("```");
        if is_fence && !is_code {
            let _ = write!(page, "\n# {title}:{}\n\n", index + 1);
        }
        if is_fence || is_code {
            let _ = writeln!(page, "{text}");
        }
        is_code ^= is_fence;
    }
}
