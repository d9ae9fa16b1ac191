//! Compiles functions with and without each attribute, and compares the diagnostics of rustc and
//! Clippy and the coverage regions.
//!
//! Each file of `functions/` becomes a module of one crate for each attribute and for some stacks.
//! A line `#[attribute]` stands for the attributes, so all modules have the same lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use compiler_args::compiler_args;
use serde_json::Value;

/// The line that stands for the attributes.
const PLACEHOLDER: &str = "#[attribute]";

/// The module without attributes.
const PLAIN: &str = "plain";

/// The attributes with a body that may run more than once.
const REPEATS: &[&str] = &["retry"];

/// Stacks of attributes, from the outermost to the innermost.
const STACKS: &[(&str, &[&str])] = &[
    ("retry_breaker", &["retry", "circuit_breaker"]),
    ("fallback_breaker_timeout", &["fallback", "circuit_breaker", "timeout"]),
    ("timeout_retry", &["timeout", "retry"]),
    (
        "all",
        &["fallback", "idempotent", "retry", "circuit_breaker", "rate_limit", "bulkhead", "timeout"],
    ),
];

/// Groups of lints, and lints of no group that examine whole functions.
const LINTS: &str = "
    missing_docs, missing_debug_implementations, unreachable_pub, unused, nonstandard_style,
    future_incompatible, rust_2018_idioms, unsafe_code, single_use_lifetimes, trivial_casts,
    trivial_numeric_casts, unused_lifetimes, unused_qualifications, unused_results,
    let_underscore_drop, redundant_lifetimes, unit_bindings, unused_import_braces,
    clippy::all, clippy::pedantic, clippy::nursery, clippy::shadow_reuse, clippy::shadow_same,
    clippy::shadow_unrelated, clippy::let_underscore_must_use, clippy::default_trait_access,
    clippy::if_then_some_else_none, clippy::min_ident_chars, clippy::semicolon_outside_block,
    clippy::semicolon_inside_block, clippy::missing_docs_in_private_items, clippy::unwrap_used,
    clippy::unwrap_in_result, clippy::panic_in_result_fn, clippy::question_mark_used,
    clippy::single_call_fn, clippy::missing_inline_in_public_items,
    clippy::impl_trait_in_params, clippy::multiple_inherent_impl, clippy::same_name_method,
    clippy::renamed_function_params, clippy::let_underscore_untyped, clippy::pattern_type_mismatch,
    clippy::allow_attributes, clippy::allow_attributes_without_reason, clippy::print_stdout,
    clippy::unimplemented, clippy::string_add, clippy::arithmetic_side_effects,
    clippy::ref_patterns, clippy::self_named_module_files,
    clippy::large_stack_frames, clippy::wildcard_enum_match_arm, clippy::infinite_loop,
    clippy::rest_pat_in_fully_bound_structs, clippy::redundant_type_annotations,
";

/// An attribute with arguments, from the suite of all attributes.
struct Attribute {
    name: String,
    tokens: String,
    is_async_only: bool,
}

/// A module of the crate.
struct Variant {
    name: String,
    attributes: String,
    files: Vec<&'static str>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The attributes of `tests/every_attribute`. A rule of the repository requires a line for each
/// attribute there.
fn attributes() -> Vec<Attribute> {
    let text = read(&root().join("tests/every_attribute/attributes.rs"));
    let suites = text.split("suites!(").skip(1).zip(text.split("suites!("));
    suites
        .map(|(suite, before)| {
            let suite = suite.split_whitespace().collect::<Vec<_>>().join(" ");
            let (name, rest) = suite.split_once(',').expect("a name and an attribute");
            let tokens = rest.rsplit_once("],").expect("an attribute in brackets").0.trim();
            // A panic in a key needs documentation, which a plain function does not need.
            let tokens = tokens
                .split("::core::panic!(")
                .enumerate()
                .map(|(index, part)| match (index, part.split_once(')')) {
                    (1.., Some((_, rest))) => format!("crate::never(){rest}"),
                    _ => part.to_owned(),
                })
                .collect::<String>();
            Attribute {
                name: name.to_owned(),
                tokens: format!("{tokens}]"),
                is_async_only: before.ends_with("async_"),
            }
        })
        .collect()
}

/// The modules of the crate, without the plain module.
fn variants() -> Vec<Variant> {
    let attributes = attributes();
    let variant = |name: &str, layers: &[&str]| {
        let layers: Vec<&Attribute> = layers
            .iter()
            .map(|layer| attributes.iter().find(|known| known.name == *layer).expect("a layer"))
            .collect();
        let tokens: Vec<&str> = layers.iter().map(|layer| layer.tokens.as_str()).collect();
        let mut files = vec!["futures"];
        if !layers.iter().any(|layer| layer.is_async_only) {
            files.push("blocking");
        }
        if !layers.iter().any(|layer| REPEATS.contains(&layer.name.as_str())) {
            files.push("once");
        }
        Variant { name: name.to_owned(), attributes: tokens.join(" "), files }
    };
    let alone = attributes.iter().map(|layer| variant(&layer.name, &[&layer.name]));
    let stacks = STACKS.iter().map(|(name, layers)| variant(name, layers));
    alone.chain(stacks).collect()
}

/// Writes the crate and returns the path of its root module.
fn write_crate(folder: &Path) -> PathBuf {
    let plain = Variant {
        name: PLAIN.to_owned(),
        // An attribute without effect: Clippy reports an empty line after documentation.
        attributes: "#[rustfmt::skip]".to_owned(),
        files: vec!["blocking", "futures", "once"],
    };
    let mut root = format!("//! A corpus.\n#![warn({LINTS})]\n");
    root.push_str(
        "/// A key for each call.\npub(crate) fn fresh_key() -> u64 {\n    7\n}\n\
         /// Stands for a panic.\npub(crate) fn never() -> ! {\n    loop {}\n}\n",
    );
    for variant in std::iter::once(plain).chain(variants()) {
        let module = folder.join(&variant.name);
        fs::create_dir_all(&module).expect("a folder for the module");
        let _ = writeln!(root, "/// A variant.\npub mod {} {{", variant.name);
        for file in &variant.files {
            let _ = writeln!(root, "pub mod {file};");
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("functions/{file}.rs"));
            let text = read(&source).replace(PLACEHOLDER, &variant.attributes);
            fs::write(module.join(format!("{file}.rs")), text).expect("a writable module");
        }
        root.push_str("}\n");
    }
    let path = folder.join("lib.rs");
    fs::write(&path, root).expect("a writable root");
    path
}

/// The compiler of this test, and the dependencies of this test as arguments.
fn compiler() -> (PathBuf, Vec<&'static str>) {
    let [path, given @ ..] = &compiler_args!();
    let mut args = Vec::new();
    for pair in given.windows(2) {
        let is_dependency = match pair[0] {
            "--extern" => ["resilience", "async_trait"]
                .contains(&pair[1].split('=').next().unwrap_or_default()),
            "-L" | "--target" => true,
            _ => false,
        };
        if is_dependency {
            args.extend(pair);
        }
    }
    (PathBuf::from(path), args)
}

/// A diagnostic or a region: position and text.
type Finding = (usize, usize, String);

/// The findings of each file, by variant and file.
type Findings = BTreeMap<(String, String), BTreeMap<Finding, usize>>;

/// Sorts a finding into its file. Findings outside the modules are dropped.
fn sort(findings: &mut Findings, path: &str, finding: Finding) {
    let mut parts = Path::new(path).iter().rev();
    let (Some(file), Some(variant)) = (parts.next(), parts.next()) else { return };
    let key = (variant.to_string_lossy().into_owned(), file.to_string_lossy().into_owned());
    *findings.entry(key).or_default().entry(finding).or_default() += 1;
}

/// The differences between the plain module and the others.
fn differences(findings: &Findings) -> String {
    let mut report = String::new();
    let nothing = BTreeMap::new();
    for Variant { name, files, .. } in variants() {
        for file in files {
            let of = |variant: &str| {
                let key = (variant.to_owned(), format!("{file}.rs"));
                findings.get(&key).unwrap_or(&nothing)
            };
            let (plain, annotated) = (of(PLAIN), of(&name));
            let all: BTreeSet<&Finding> = plain.keys().chain(annotated.keys()).collect();
            for finding @ (line, column, text) in all {
                let count = |of: &BTreeMap<Finding, usize>| of.get(finding).copied().unwrap_or(0);
                let (without, with) = (count(plain), count(annotated));
                if without != with {
                    let _ = writeln!(
                        report,
                        "{file}.rs:{line}:{column}: {without} without, {with} with {name}: {text}"
                    );
                }
            }
        }
    }
    report
}

#[test]
fn diagnostics_are_those_of_the_plain_function() {
    let (rustc, dependencies) = compiler();
    let clippy = rustc.with_file_name("clippy-driver");
    if !clippy.exists() {
        assert!(env::var_os("RESILIENCE_CI").is_none(), "Clippy is missing");
        eprintln!("skipped: no Clippy beside {}", rustc.display());
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("diagnostics");
    let root = write_crate(&folder);
    let output = Command::new(clippy)
        .args(["--edition=2024", "--crate-type=lib", "--crate-name=corpus", "--error-format=json"])
        .arg(format!("--emit=metadata={}", folder.join("out.rmeta").display()))
        .args(&dependencies)
        .arg(&root)
        .output()
        .expect("Clippy runs");
    let mut findings = Findings::new();
    let mut errors = String::new();
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        let text = message["message"].as_str().unwrap_or_default();
        if message["level"] == "error" {
            errors.push_str(message["rendered"].as_str().unwrap_or_default());
        }
        for span in message["spans"].as_array().into_iter().flatten() {
            if span["is_primary"] == true {
                let number = |key: &str| {
                    usize::try_from(span[key].as_u64().unwrap_or_default()).unwrap_or_default()
                };
                let code = message["code"]["code"].as_str().unwrap_or_default();
                let finding = (
                    number("line_start"),
                    number("column_start"),
                    format!("{code}: {text}"),
                );
                sort(&mut findings, span["file_name"].as_str().unwrap_or_default(), finding);
            }
        }
    }
    assert!(errors.is_empty(), "{errors}");
    let plain = findings.iter().filter(|((variant, _), _)| variant == PLAIN);
    assert!(plain.map(|(_, found)| found.len()).sum::<usize>() > 100, "the corpus has mistakes");
    let report = differences(&findings);
    assert!(report.is_empty(), "\n{report}");
}
