//! Names that were replaced, and references that lead nowhere.

use crate::{comment, files, read, words};

/// Former names of this project that are no words of the field.
const REPLACED: [&str; 29] = [
    "Arrivals",
    "BY_HAND",
    "Bell",
    "Caps",
    "Forgettable",
    "HostGate",
    "IntoKey",
    "KeyFault",
    "Lent",
    "PostgresBoard",
    "RedisBoard",
    "Redriven",
    "abandoned_is_failure",
    "attend",
    "call_async_on",
    "call_async_on_ok",
    "call_on",
    "call_on_ok",
    "enter_with_care",
    "horizon",
    "is_as_new",
    "is_heard",
    "is_hopeless",
    "is_unapplied",
    "stand_in",
    "succeed_with_care",
    "take_off",
    "turned_away",
    "unconnected",
];

/// Files that may speak of former names.
const HISTORY: [&str; 3] = ["CHANGELOG.md", "DESIGN.md", "tests/repo_rules/words.rs"];

#[test]
fn no_former_name_is_left() {
    let mut problems = Vec::new();
    for file in files("", &["rs", "md", "toml"]) {
        if HISTORY.iter().any(|it| file.ends_with(it)) {
            continue;
        }
        for (index, line) in read(&file).lines().enumerate() {
            for word in words(line).filter(|word| REPLACED.contains(word)) {
                problems.push(format!("{}:{}: `{word}`", file.display(), index + 1));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn no_reference_leads_nowhere() {
    let mut problems = Vec::new();
    for file in files("", &["rs", "md"]) {
        let is_rust = file.extension().is_some_and(|end| end == "rs");
        for (index, line) in read(&file).lines().enumerate() {
            let text = if is_rust { comment(line).unwrap_or_default() } else { line };
            for word in words(text).filter(|word| is_dead(word)) {
                problems.push(format!("{}:{}: {word}", file.display(), index + 1));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Whether a word refers to a list that is not part of this repository. `docs/idempotent.md`
/// defines T1 to T13.
fn is_dead(word: &str) -> bool {
    let Some(kind @ ('C' | 'I' | 'T')) = word.chars().next() else { return false };
    let number = &word[1..];
    let is_number = matches!(number.len(), 1..=2) && number.bytes().all(|b| b.is_ascii_digit());
    is_number && (kind != 'T' || number.parse().is_ok_and(|number: u32| number > 13))
}

#[test]
fn a_dead_reference_is_found() {
    assert!(["C09", "C55", "I4", "T14"].iter().all(|word| is_dead(word)));
    assert!(!["T1", "T13", "C", "I", "I128", "IO", "H2"].iter().any(|word| is_dead(word)));
}
