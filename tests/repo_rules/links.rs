//! The links of the Markdown files, as GitHub shows them.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::{files, read, root};

#[test]
fn each_relative_link_has_a_target() {
    let mut problems = Vec::new();
    for file in files("", &["md"]) {
        for (line, target) in links(&read(&file)) {
            if let Some(problem) = problem(&file, &target) {
                problems.push(format!("{}:{line}: ({target}) {problem}", file.display()));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Says what is wrong with the target of a link.
fn problem(file: &Path, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let target = if path.is_empty() {
        file.to_owned()
    } else {
        normal(&file.parent().unwrap_or(Path::new("")).join(path))
    };
    if !root().join(&target).exists() {
        return Some(format!("no file {}", target.display()));
    }
    if anchor.is_empty() || target.extension().is_none_or(|end| end != "md") {
        return None;
    }
    let anchors = anchors(&read(&target));
    (!anchors.iter().any(|it| it == anchor)).then(|| format!("no heading for #{anchor}"))
}

/// Removes `.` and `..` from a path.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

/// Returns the lines outside code blocks, with their numbers, without inline code.
fn lines(text: &str) -> Vec<(usize, String)> {
    let (mut found, mut is_code) = (Vec::new(), false);
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            found.push((index + 1, line.to_owned()));
        }
    }
    found
}

/// Returns the targets of inline links, of link definitions, and of the attributes `src` and
/// `href`.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in lines(text) {
        for (begin, end) in [("](", ')'), ("src=\"", '"'), ("srcset=\"", '"'), ("href=\"", '"')] {
            for after in line.split(begin).skip(1) {
                if let Some((target, _)) = after.split_once(end) {
                    let target = target.split(' ').next().unwrap_or_default();
                    found.push((number, target.to_owned()));
                }
            }
        }
        if line.starts_with('[') {
            if let Some((_, target)) = line.split_once("]: ") {
                found.push((number, target.trim().to_owned()));
            }
        }
    }
    found
}

/// Returns the anchors that GitHub makes from the headings.
fn anchors(text: &str) -> Vec<String> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let mut found = Vec::new();
    for (_, line) in lines(text).iter().filter(|(_, line)| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim();
        let anchor: String = heading
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let count = seen.entry(anchor.clone()).or_default();
        found.push(if *count == 0 { anchor.clone() } else { format!("{anchor}-{count}") });
        *count += 1;
    }
    found
}

#[test]
fn a_dead_link_is_found() {
    let readme = Path::new("README.md");
    let page = Path::new("docs/retry.md");
    assert_eq!(problem(readme, "docs/retry.md"), None);
    assert_eq!(problem(readme, "https://example.com/x#y"), None);
    assert_eq!(problem(page, "../README.md"), None);
    assert!(problem(readme, "docs/no_such_page.md").is_some());
    assert!(problem(page, "trait@crate::Outcome").is_some());
    assert!(problem(page, "retry.md#no-such-heading").is_some());
    assert_eq!(
        anchors("# A `b` & c\n## Keys\n```\n# no\n```\n# Keys"),
        ["a-b--c", "keys", "keys-1"]
    );
    assert_eq!(
        links("[a](b.md) ![c](d.svg \"e\")\n[f]: g.md"),
        [(1, "b.md".to_owned()), (1, "d.svg".to_owned()), (2, "g.md".to_owned()),]
    );
}
