//! Each message of the macros has a case in `tests/compile_errors`.

use std::path::Path;

use crate::{comment, files, read, words};

/// Text in string literals of the macros that no caller sees as a compile error.
const OTHER: [&str; 2] = [
    // The expectation of a unit test.
    "an attribute may lack settings or constants",
    // The meaning of a key that only settings have.
    "the longest time of a call",
];

#[test]
fn each_message_has_a_case() {
    let cases: String = files("tests/compile_errors/cases", &["rs"]).iter().map(read).collect();
    let mut missing = Vec::new();
    for folder in ["resilience-macros/src", "resilience-rules/src"] {
        for file in files(folder, &["rs"]) {
            // The reasons of a rejected key and the mistakes in settings are errors at run time.
            let is_run_time = ["idempotency_key.rs", "idempotency_layer.rs", "src/settings.rs"]
                .iter()
                .any(|name| file.ends_with(name));
            if is_run_time || is_test(&file) {
                continue;
            }
            for message in messages(&read(&file)) {
                if !cases.contains(&message) && !OTHER.contains(&&*message) {
                    missing.push(format!("{}: {message}", file.display()));
                }
            }
        }
    }
    assert!(
        missing.is_empty(),
        "{}\nadd a case with each message to tests/compile_errors/cases",
        missing.join("\n")
    );
}

fn is_test(file: &Path) -> bool {
    file.ends_with("robustness.rs") || file.ends_with("tests.rs")
}

/// Returns the longest part without `{…}` of each string literal that looks like a message.
fn messages(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines =
        source.lines().filter(|line| comment(line).is_none() && !line.contains("reason = "));
    let source = lines.collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for literal in literals(&source) {
        let parts = literal.split('{').map(|part| part.rsplit('}').next().unwrap_or_default());
        let longest = parts.map(str::trim).max_by_key(|part| part.len()).unwrap_or_default();
        if longest.len() >= 12 && words(longest).count() >= 3 {
            found.push(longest.to_owned());
        }
    }
    found
}

/// Returns the string literals of a source.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = source.replace("'\"'", "");
    while let Some(begin) = rest.find('"') {
        let mut literal = String::new();
        let mut chars = rest[begin + 1..].char_indices().peekable();
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    end = begin + 1 + at + 1;
                    break;
                }
                '\\' => match chars.next() {
                    Some((_, '\n')) => while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {},
                    Some((_, c)) => literal.push(c),
                    None => {}
                },
                c => literal.push(c),
            }
        }
        found.push(literal);
        rest = rest[end..].to_owned();
    }
    found
}

#[test]
fn messages_are_found_in_literals() {
    let source = "f(\"short\", \"a {key} that is \\\"too\\\" \\\n    long\"); // c\n\
                  #[allow(x, reason = \"not a message here\")]\nlet c = '\"';\n\
                  // \"no message in comments\"\n";
    assert_eq!(messages(source), ["that is \"too\" long"]);
}
