//! Links of the pages in `docs/`, for GitHub and for rustdoc.
//!
//! Pages use reference links: a label in the text, a definition at the foot. The facade includes
//! `src/links.txt` before each page, and the first definition of a label wins. Rustdoc therefore
//! links to the item, and GitHub to docs.rs. This test derives the foot of each page from
//! `src/links.txt`; `DOC_LINKS=write cargo test --test doc_links` writes the foot.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

const DOCS_RS: &str = "https://docs.rs/resilience-rs/latest/resilience";

/// Intra-doc paths by label.
type Links = BTreeMap<String, String>;

#[test]
fn every_page_defines_the_labels_that_its_text_uses() {
    let links = links();
    let write = env::var("DOC_LINKS").is_ok_and(|mode| mode == "write");
    let mut mistakes = Vec::new();
    for path in pages() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let page = read(&path);
        let text = without_foot(&page);
        let labels = labels(text);
        let unknown = labels.iter().filter(|label| target(label, &links).is_none());
        mistakes
            .extend(unknown.map(|label| format!("{name}: add a line `[{label}]: …` to links.txt")));
        let foot: Vec<_> = labels
            .iter()
            .filter_map(|label| Some(format!("[{label}]: {}\n", target(label, &links)?)))
            .collect();
        let separator = if foot.is_empty() { "" } else { "\n" };
        let expected = format!("{text}{separator}{}", foot.concat());
        if page == expected {
            continue;
        }
        if write {
            fs::write(&path, expected).expect("the page is writable");
        } else {
            let command = "DOC_LINKS=write cargo test -p resilience-rs --test doc_links";
            mistakes.push(format!("{name}: the foot is out of date; run `{command}`"));
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn targets_follow_from_intra_doc_paths() {
    let links = Links::from([
        ("`A`".into(), "struct@crate::A".into()),
        ("`m::B`".into(), "trait@crate::m::B".into()),
        ("`A::run`".into(), "method@crate::A::run".into()),
        ("`m::B::get`".into(), "tymethod@crate::m::B::get".into()),
        ("`m`".into(), "mod@crate::m".into()),
        ("a.md#keys".into(), "macro@crate::a#keys".into()),
    ]);
    let target = |label| target(label, &links);
    assert_eq!(target("`A`"), Some(format!("{DOCS_RS}/struct.A.html")));
    assert_eq!(target("`m::B`"), Some(format!("{DOCS_RS}/m/trait.B.html")));
    assert_eq!(target("`A::run`"), Some(format!("{DOCS_RS}/struct.A.html#method.run")));
    assert_eq!(target("`m::B::get`"), Some(format!("{DOCS_RS}/m/trait.B.html#tymethod.get")));
    assert_eq!(target("`m`"), Some(format!("{DOCS_RS}/m/index.html")));
    assert_eq!(target("a.md#keys"), Some("a.md#keys".to_owned()));
    assert_eq!(target("`C`"), None);
}

#[test]
fn labels_are_found_outside_code_and_inline_links() {
    let text = "[`A`] and [`x`][`B`], [order][ordering.md]; [`C`](c.md), `v[`i`]`.\n\
                ```\n[`D`]\n```\n";
    let expected = ["`A`", "`B`", "ordering.md"].map(str::to_owned);
    assert_eq!(labels(text), BTreeSet::from(expected));
    assert_eq!(without_foot("text\n\n[`A`]: a\n[b.md]: b.md\n"), "text\n");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn pages() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("docs")).expect("the folder of the pages");
    let paths = entries.flatten().map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

fn links() -> Links {
    let definitions = read(&root().join("src/links.txt"));
    let definitions = definitions.lines().filter_map(definition);
    definitions.map(|(label, path)| (label.to_owned(), path.to_owned())).collect()
}

/// Splits a link reference definition into label and target.
fn definition(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix('[')?.split_once("]: ")
}

/// Returns a page without the definitions at the foot.
fn without_foot(page: &str) -> &str {
    let mut end = page.trim_end().len();
    while let Some(line) = page[..end].lines().last().filter(|line| definition(line).is_some()) {
        end = page[..end - line.len()].trim_end().len();
    }
    page.get(..=end).unwrap_or(page)
}

/// Returns the labels of the reference links in a text.
fn labels(text: &str) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    for prose in text.split("```").step_by(2) {
        for (start, _) in prose.match_indices("[`") {
            let Some((label, rest)) = prose[start + 2..].split_once("`]") else { continue };
            let is_label = !label.contains(['`', '\n']) && !rest.starts_with(['(', '[', '`']);
            if is_label {
                labels.insert(format!("`{label}`"));
            }
        }
        for (start, _) in prose.match_indices("][") {
            let label = prose[start + 2..].split(']').next().unwrap_or_default();
            if label.starts_with('`') || label.contains(".md") || label.contains(".svg") {
                labels.insert(label.to_owned());
            }
        }
    }
    labels
}

/// Returns the target of a label on GitHub, or `None` for an unknown label.
fn target(label: &str, links: &Links) -> Option<String> {
    if label.contains(".svg") {
        return root().join("docs").join(label).exists().then(|| label.to_owned());
    }
    let path = links.get(label)?;
    if !label.starts_with('`') {
        return Some(label.to_owned());
    }
    let (kind, path) = path.split_once("@crate::")?;
    let (parents, name) = path.rsplit_once("::").unwrap_or(("", path));
    let folder = |path: &str| match path {
        "" => DOCS_RS.to_owned(),
        path => format!("{DOCS_RS}/{}", path.replace("::", "/")),
    };
    match kind {
        "mod" => Some(format!("{}/index.html", folder(path))),
        "method" | "tymethod" | "variant" => {
            Some(format!("{}#{kind}.{name}", target(&format!("`{parents}`"), links)?))
        }
        "field" => Some(format!("{}#structfield.{name}", target(&format!("`{parents}`"), links)?)),
        "macro" => Some(format!("{}/attr.{name}.html", folder(parents))),
        kind => Some(format!("{}/{kind}.{name}.html", folder(parents))),
    }
}
