//! Compiles each file of `cases/` and compares the errors with the `//~` comments below the
//! mistakes.
//!
//! ```text
//! #[retry(atempts = 4)]
//! //~ error at `atempts`: `#[retry]` has no `atempts`; did you mean `attempts`?
//! //~ rustc: help: …
//! ```
//!
//! An `error` line holds the source text that the compiler underlines, and the message. `label`,
//! `note` and `help` lines belong to the error above them. A line that begins with `rustc:` holds
//! the compiler's own words: Rust 1.95 compares these lines, and any other compiler skips them.
//! The library's own messages are compared on each compiler.
//!
//! `BLESS=1 cargo test -p compile-errors` rewrites the comments; `CASES=retry/types` selects the
//! files whose path contains the text.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use compiler_args::compiler_args;
use serde_json::Value;

/// The compiler whose own words the comments hold.
const PINNED: &str = "rustc 1.95.";

/// The crates that a case may name.
const CRATES: [&str; 6] = ["resilience", "compiler_args", "http", "http_02", "serde", "tower"];

/// The line of a comment, without the mark.
const MARK: &str = "//~ ";

#[test]
fn each_mistake_is_reported() {
    let bless = env::var_os("BLESS").is_some();
    let compiler = Compiler::of_this_crate();
    assert!(!bless || compiler.is_pinned, "the comments are those of {PINNED}x");
    let files = files(&cases());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut report = String::new();
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut text = read(file);
            let (source, expected) = split(&text);
            let found = compiler.errors(&source);
            let mut problems = String::new();
            if bless {
                text = annotate(&source, &found);
                fs::write(file, &text).expect("the cases are writable");
            } else if compiler.is_pinned {
                problems = differences(&expected, &lines_of(&found));
            } else {
                problems = missing(&expected, &found);
            }
            for item in items(&text) {
                if item.contains("#[") && !item.contains(MARK) {
                    let _ = writeln!(problems, "no error in\n{item}");
                }
            }
            if !problems.is_empty() {
                let _ = write!(report, "\n{}\n{problems}", name(file));
            }
        }
        report
    };
    let report: String = thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker does not panic")).collect()
    });
    assert!(
        report.is_empty(),
        "{report}\nto accept the new errors: BLESS=1 cargo test -p compile-errors"
    );
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).expect("the case is readable")
}

fn name(file: &Path) -> String {
    file.strip_prefix(cases()).unwrap_or(file).display().to_string()
}

/// The files below `folder` that the variable `CASES` selects, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let filter = env::var("CASES").unwrap_or_default();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder of the cases").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if name(&path).contains(&filter) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The items at the top level of a file: groups of lines between empty lines.
fn items(text: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut is_inside = false;
    for line in text.lines() {
        if line.is_empty() && !is_inside {
            items.push(String::new());
        } else if let Some(item) = items.last_mut() {
            item.push_str(line);
            item.push('\n');
            is_inside = match line {
                "}" => false,
                _ => is_inside || line.ends_with('{') && !line.starts_with(' '),
            };
        }
    }
    items
}

/// A line that is expected, or found, and the line of the source above it.
type Line = (usize, String);

/// The source without the comments, and the comments.
fn split(text: &str) -> (String, Vec<Line>) {
    let (mut source, mut expected, mut count) = (String::new(), Vec::new(), 0);
    for line in text.lines() {
        if let Some(comment) = line.trim_start().strip_prefix(MARK) {
            expected.push((count, comment.to_owned()));
        } else {
            source.push_str(line);
            source.push('\n');
            count += 1;
        }
    }
    (source, expected)
}

/// The source with a comment for each error.
fn annotate(source: &str, found: &[Diagnostic]) -> String {
    let found = lines_of(found);
    let mut text = String::new();
    for (index, line) in source.lines().enumerate() {
        let _ = writeln!(text, "{line}");
        let indent = &line[..line.len() - line.trim_start().len()];
        for (_, comment) in found.iter().filter(|(at, _)| *at == index + 1) {
            let _ = writeln!(text, "{indent}{MARK}{comment}");
        }
    }
    text
}

fn lines_of(found: &[Diagnostic]) -> Vec<Line> {
    let lines = found
        .iter()
        .flat_map(|diagnostic| diagnostic.lines.iter().map(|line| (diagnostic.line, line.clone())));
    let mut lines: Vec<Line> = lines.collect();
    lines.sort_by_key(|(line, _)| *line);
    lines
}

/// The expected lines that are not found, and the found lines that are not expected.
fn differences(expected: &[Line], found: &[Line]) -> String {
    if expected == found {
        return String::new();
    }
    let mut report = String::new();
    for (sign, these, others) in [('-', expected, found), ('+', found, expected)] {
        for (at, line) in these.iter().filter(|line| !others.contains(line)) {
            let _ = writeln!(report, "{sign} {at}: {line}");
        }
    }
    if report.is_empty() {
        "the order or the number of errors differs\n".to_owned()
    } else {
        report
    }
}

/// The library's own messages that no error near the line contains. Compilers differ in the token
/// of a type error.
fn missing(expected: &[Line], found: &[Diagnostic]) -> String {
    let mut report = String::new();
    for (at, line) in expected.iter().filter(|(_, line)| !line.starts_with("rustc: ")) {
        let message = line.split_once(": ").map_or(line.as_str(), |(_, message)| message);
        let is_found = found.iter().any(|diagnostic| {
            diagnostic.line.abs_diff(*at) <= 3
                && diagnostic.texts.iter().any(|text| text.contains(message))
        });
        if !is_found {
            let _ = writeln!(report, "- {at}: {line}");
        }
    }
    report
}

struct Compiler {
    path: &'static str,
    args: Vec<&'static str>,
    is_pinned: bool,
}

/// An error of the compiler.
struct Diagnostic {
    /// The line of the source, from 1.
    line: usize,
    /// The lines of the comment.
    lines: Vec<String>,
    /// The texts of the error.
    texts: Vec<String>,
}

impl Compiler {
    /// The compiler of this test, with the dependencies of this test.
    fn of_this_crate() -> Self {
        let [path, given @ ..] = &compiler_args!();
        let mut args = Vec::new();
        for pair in given.windows(2) {
            let is_dependency = match pair[0] {
                "--extern" => CRATES.contains(&pair[1].split('=').next().unwrap_or_default()),
                "-L" | "--target" => true,
                _ => false,
            };
            if is_dependency {
                args.extend(pair);
            }
        }
        let version = Command::new(path).arg("--version").output().expect("the compiler runs");
        let is_pinned = version.stdout.starts_with(PINNED.as_bytes());
        Self { path, args, is_pinned }
    }

    /// The errors of a source, in the order in which the compiler reports them.
    fn errors(&self, source: &str) -> Vec<Diagnostic> {
        // A generic function is checked where it is called, so a case with `main` is translated.
        let is_program = source.contains("\nfn main() {");
        let (kind, emit) = if is_program { ("bin", "obj") } else { ("lib", "metadata") };
        let mut compiler = Command::new(self.path)
            .args([
                "--edition=2024",
                "--crate-name=case",
                "--error-format=json",
                "--cap-lints=allow",
            ])
            .args([format!("--crate-type={kind}"), format!("--emit={emit}=/dev/null")])
            .args(&self.args)
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the compiler runs");
        let mut stdin = compiler.stdin.take().expect("a pipe");
        stdin.write_all(source.as_bytes()).expect("the compiler reads the source");
        drop(stdin);
        let output = compiler.wait_with_output().expect("the compiler ends");
        let output = String::from_utf8_lossy(&output.stderr);
        output.lines().filter_map(|line| Diagnostic::read(line, source)).collect()
    }
}

impl Diagnostic {
    fn read(json: &str, source: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(json).expect("the compiler writes JSON");
        let message = value["message"].as_str()?;
        if value["level"] != "error" || message.starts_with("aborting due to") {
            return None;
        }
        let code = value["code"]["code"].as_str();
        let is_ours = is_ours(code, message);
        let whose = if is_ours { "" } else { "rustc: " };
        let spans = value["spans"].as_array()?;
        let primary = spans.iter().find(|span| span["is_primary"] == true);
        let primary = primary.and_then(in_source);
        let (line, token) = primary
            .map_or((1, String::new()), |span| (number(span, "line_start"), token(span, source)));
        let code = code.filter(|_| !is_ours).map(|code| format!("[{code}]")).unwrap_or_default();
        let message_line = message.strip_prefix("evaluation panicked: ").unwrap_or(message);
        let mut lines = vec![format!("{whose}error{code} at `{token}`: {}", plain(message_line))];
        let mut texts = vec![plain(message)];
        for span in spans.iter().filter(|span| !is_in_std(span)) {
            if let Some(label) = span["label"].as_str() {
                texts.push(plain(label));
                if is_noise(label) {
                    continue;
                }
                let whose = if is_ours
                    && code.is_empty()
                    && span["is_primary"] == true
                    && !is_of_rustc(label)
                {
                    ""
                } else {
                    "rustc: "
                };
                lines.push(format!("{whose}label: {}", plain(label)));
            }
        }
        for child in value["children"].as_array()? {
            let text = child["message"].as_str()?;
            texts.push(plain(text));
            if is_noise(text) {
                continue;
            }
            let whose = if is_ours && !is_of_rustc(text) { "" } else { "rustc: " };
            let level = child["level"].as_str()?;
            lines.push(format!("{whose}{level}: {}", plain(text)));
        }
        Some(Self { line, lines, texts })
    }
}

/// Whether the library has written the message of an error.
fn is_ours(code: Option<&str>, message: &str) -> bool {
    match code {
        None => !message.contains("macro attributes are not supported"),
        Some("E0277") => {
            !["the trait bound", "expected a"].iter().any(|words| message.starts_with(words))
        }
        Some("E0080") => true,
        Some(_) => false,
    }
}

/// Whether the compiler has written a label or a note of an error that is the library's.
fn is_of_rustc(text: &str) -> bool {
    let beginnings = [
        "the trait `",
        "the following other types",
        "required ",
        "unsatisfied trait bound",
        "expected",
        "found",
        "within `",
        "item with same name",
        "there are multiple different versions",
        "you can use `cargo tree`",
    ];
    beginnings.iter().any(|words| text.starts_with(words))
}

/// Whether the span is in the standard library, whose source is not installed everywhere.
fn is_in_std(span: &Value) -> bool {
    span["file_name"].as_str().is_some_and(|file| file.contains("/rustlib/src/rust/"))
}

/// Whether a label or a note says nothing about the mistake, or depends on the features of the
/// dependencies.
fn is_noise(text: &str) -> bool {
    let beginnings = [
        "this error originates in the",
        "the following other types",
        "required by a bound in",
        "evaluation of `",
    ];
    beginnings.iter().any(|words| text.starts_with(words))
        || (text.starts_with("the trait `") && text.contains("` is implemented for `"))
}

/// The span, or the call of the macro that contains the span, in the source of the case.
fn in_source(span: &Value) -> Option<&Value> {
    let mut span = span;
    while span["file_name"] != "<anon>" {
        span = &span["expansion"]["span"];
        if span.is_null() {
            return None;
        }
    }
    Some(span)
}

fn number(span: &Value, field: &str) -> usize {
    span[field].as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
}

/// The source text of a span; of several lines, the first.
fn token(span: &Value, source: &str) -> String {
    let text = &source[number(span, "byte_start")..number(span, "byte_end")];
    match text.split_once('\n') {
        Some((first, _)) => format!("{}…", first.trim_end()),
        None => text.to_owned(),
    }
}

/// A message without line breaks, and without the places of closures and `async` blocks.
fn plain(message: &str) -> String {
    let mut text = String::new();
    let mut rest = message;
    while let Some((before, after)) = rest.split_once("@<anon>:") {
        text.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':' || c == ' ');
    }
    text.push_str(rest);
    text.split('\n').map(str::trim).collect::<Vec<_>>().join(" ")
}
