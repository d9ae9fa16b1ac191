//! The prose of comments and documents: few pronoun-like words, no sentence that needs the
//! sentence before.
//!
//! Code blocks, inline code, links, headings and tables do not count. Widely used crates have 1.6
//! to 4.4 pronoun-like words in 100 words.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::{SOURCES, comment, files, read, words};

/// The pronoun-like words that 100 words may contain.
const LIMIT: f64 = 4.0;

/// The words for each sentence that begins like a riddle.
const WORDS_PER_RIDDLE: usize = 3_000;

const PRONOUNS: [&str; 18] = [
    "what", "whatever", "whoever", "who", "whose", "that", "which", "it", "its", "one", "ones",
    "those", "nobody", "somebody", "anybody", "none", "other", "others",
];

const RIDDLES: [&str; 15] = [
    "What", "Whatever", "Whoever", "Who", "Whose", "Those", "The same", "Of what", "Of which",
    "Of it", "Of those", "Nobody", "Somebody", "Nothing", "None",
];

#[test]
fn the_prose_is_plain() {
    let mut report = String::new();
    for place in SOURCES.into_iter().chain(["docs", "README.md", "DESIGN.md"]) {
        let mut measure = Measure::default();
        for file in files(place, &["rs", "md"]) {
            measure.add(&file, &read(&file));
        }
        eprintln!("{place:28} {measure}");
        report.push_str(&measure.problems(place));
    }
    assert!(report.is_empty(), "{report}");
}

#[derive(Default)]
struct Measure {
    words: usize,
    pronouns: usize,
    riddles: usize,
    long_lines: Vec<String>,
    /// Each sentence of at least six words, with the share of pronoun-like words.
    sentences: Vec<(f64, PathBuf, String)>,
}

impl std::fmt::Display for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { words, riddles, .. } = self;
        let (share, lines) = (self.share(), self.long_lines.len());
        write!(f, "{words:7} words {share:5.1} of 100 {riddles:4} riddles {lines:4} long lines")
    }
}

impl Measure {
    fn add(&mut self, file: &Path, text: &str) {
        let is_rust = file.extension().is_some_and(|end| end == "rs");
        let lines = if is_rust { self.comments(file, text) } else { markdown(text) };
        for sentence in sentences(&lines) {
            let words = sentence.split(|c: char| !c.is_ascii_alphabetic() && c != '\'');
            let count = words.filter(|word| !word.is_empty()).count();
            let pronouns = pronouns(&sentence);
            let is_riddle = is_riddle(&sentence);
            self.words += count;
            self.pronouns += pronouns;
            self.riddles += usize::from(is_riddle);
            if count >= 6 {
                let share = ratio(pronouns, count) + if is_riddle { 0.2 } else { 0.0 };
                self.sentences.push((share, file.to_owned(), sentence));
            }
        }
    }

    /// Returns the comment lines of a Rust file, with an empty line for code, and notes the long
    /// lines.
    fn comments(&mut self, file: &Path, text: &str) -> Vec<String> {
        let (mut lines, mut is_code) = (Vec::new(), false);
        for (index, line) in text.lines().enumerate() {
            let Some(text) = comment(line) else {
                lines.push(String::new());
                continue;
            };
            if text.trim_start().starts_with("```") {
                is_code = !is_code;
            } else if !is_code {
                if line.trim_end().chars().count() > 100 && !line.contains("http") {
                    self.long_lines.push(format!("{}:{}", file.display(), index + 1));
                }
                lines.push(if text.starts_with(['#', '|']) {
                    String::new()
                } else {
                    text.to_owned()
                });
            }
        }
        lines
    }

    fn share(&self) -> f64 {
        100.0 * ratio(self.pronouns, self.words.max(1))
    }

    fn problems(&self, place: &str) -> String {
        let mut report = String::new();
        let is_dense = self.share() > LIMIT;
        let is_riddle = self.riddles * WORDS_PER_RIDDLE > self.words;
        if is_dense || is_riddle {
            let _ =
                writeln!(report, "{place}: {self}; at most {LIMIT} pronoun-like words of 100, and");
            let _ =
                writeln!(report, "one riddle for {WORDS_PER_RIDDLE} words; rewrite these first:");
            let mut worst: Vec<_> = self.sentences.iter().collect();
            worst.sort_by(|a, b| b.0.total_cmp(&a.0));
            for (_, file, sentence) in worst.into_iter().take(10) {
                let _ = writeln!(report, "    {}: {sentence}", file.display());
            }
        }
        for line in &self.long_lines {
            let _ = writeln!(report, "{line}: a comment past column 100");
        }
        report
    }
}

#[allow(clippy::cast_precision_loss, reason = "no text has 2^52 words")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// Returns the lines of a document, with an empty line for code, headings and tables.
fn markdown(text: &str) -> Vec<String> {
    let (mut lines, mut is_code) = (Vec::new(), false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if is_code || line.starts_with(['#', '|']) {
            lines.push(String::new());
        } else {
            lines.push(line.trim().to_owned());
        }
    }
    lines
}

/// Splits lines into sentences. A paragraph ends at an empty line.
fn sentences(lines: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for paragraph in lines.split(|line| line.trim().is_empty()) {
        let bullets = |c: char| "-*0123456789. ".contains(c);
        let lines: Vec<_> =
            paragraph.iter().map(|line| line.trim().trim_start_matches(bullets)).collect();
        found.extend(split(&without_code(&lines.join(" "))));
    }
    found
}

/// Replaces inline code and links by `X`.
fn without_code(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = match c {
            '`' => rest[1..].find('`').map(|end| end + 2),
            '[' => link(rest).or_else(|| {
                let end = rest.strip_prefix("[`")?.find('`')? + 3;
                rest[end..].starts_with(']').then_some(end + 1)
            }),
            _ => None,
        };
        out.push(if end.is_some() { 'X' } else { c });
        rest = &rest[end.unwrap_or(c.len_utf8())..];
    }
    out
}

/// Returns the length of a link at the beginning of a text: `[…](…)`.
fn link(text: &str) -> Option<usize> {
    let middle = text.find(']')?;
    let target = text[middle + 1..].strip_prefix('(')?;
    Some(middle + 2 + target.find(')')? + 1)
}

/// Splits a paragraph after a mark that a space and a capital letter, a quote or a parenthesis
/// follow.
fn split(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut chars = text.chars().peekable();
    let mut last = ' ';
    while let Some(c) = chars.next() {
        if c.is_whitespace() && ".!?:;".contains(last) {
            while chars.next_if(|c| c.is_whitespace()).is_some() {}
            if chars.peek().is_some_and(|c| c.is_ascii_uppercase() || "\"'(".contains(*c)) {
                found.push(String::new());
                last = ' ';
                continue;
            }
        }
        if let Some(sentence) = found.last_mut() {
            sentence.push(c);
        }
        last = c;
    }
    found.iter().map(|sentence| sentence.trim().to_owned()).filter(|it| !it.is_empty()).collect()
}

fn pronouns(sentence: &str) -> usize {
    words(sentence).filter(|word| PRONOUNS.contains(&&*word.to_lowercase())).count()
}

fn is_riddle(sentence: &str) -> bool {
    RIDDLES.iter().any(|riddle| {
        sentence
            .strip_prefix(riddle)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

#[test]
fn a_riddle_fails_and_a_plain_sentence_passes() {
    let measure = |text: &str| {
        let mut measure = Measure::default();
        measure.add(Path::new("lib.rs"), text);
        measure
    };
    let riddle = measure(
        "/// What nobody would repeat is no end of it, and none of those others.\nfn f() {}\n",
    );
    assert_eq!((riddle.words, riddle.pronouns, riddle.riddles), (14, 6, 1));
    let problems = riddle.problems("src");
    assert!(problems.contains("lib.rs: What nobody"), "{problems}");

    let plain = measure(
        "/// Opens the breaker after five failures. See [`it`] and [that](which.md): `what`.\n",
    );
    assert_eq!((plain.pronouns, plain.riddles), (0, 0));
    assert_eq!(plain.problems("src"), "");

    let code = measure(
        "/// ```\n/// // what is that which it is\n/// ```\n// # What it is\nlet it = that;\n",
    );
    assert_eq!(code.words, 0);

    let long = measure(&format!("// {}\n", "a ".repeat(60)));
    assert_eq!(long.problems("src"), "lib.rs:1: a comment past column 100\n");
}
