//! The rules of the house that a compiler does not check.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file below a folder.
fn sources(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).expect("a folder of the house").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The attributes, from the list that makes their entry points.
fn attributes() -> Vec<String> {
    let source = read("resilience-macros/src/lib.rs");
    let (_, list) = source.rsplit_once("attributes! {").expect("the list of attributes");
    let lines = list.lines().filter_map(|line| line.trim().split_once(": attrs::"));
    lines.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_attribute_has_its_page_its_tests_and_its_cases() {
    let names = attributes();
    assert!(names.contains(&"retry".to_owned()), "{names:?}");
    let suites = read("tests/every_attribute/attributes.rs").replace(char::is_whitespace, "");
    let lints = read("tests/lints.rs");
    let facade = read("src/lib.rs");
    for name in names {
        for folder in [
            format!("tests/{name}"),
            format!("tests/ui/{name}/fail"),
            format!("tests/ui/{name}/pass"),
        ] {
            assert!(!sources(&folder).is_empty(), "{folder} is empty");
        }
        assert!(
            facade.contains(&format!("include_str!(\"../docs/{name}.md\")")),
            "{name}: no page"
        );
        assert!(read(format!("docs/{name}.md")).contains("# Keys"), "{name}: a page without keys");
        assert!(read("README.md").contains(&format!("#[{name}]")), "{name}: not in the README");
        assert!(suites.contains(&format!("suites!({name},")), "{name}: not in the suites");
        assert!(lints.contains(&format!("#[{name}")), "{name}: not under the lints");
        let examples = sources("examples");
        let shown = examples.iter().any(|example| read(example).contains(&format!("#[{name}")));
        assert!(shown, "{name}: no example");
    }
}

#[test]
fn attributes_and_patterns_do_not_import_their_siblings() {
    let names = attributes();
    for (folder, path) in
        [("resilience-macros/src/attrs", "crate::attrs::"), ("resilience-core/src", "crate::")]
    {
        for file in sources(folder) {
            let text = read(&file);
            for name in names.iter().filter(|name| !belongs_to(&file, name)) {
                let import = format!("use {path}{name}::");
                assert!(!text.contains(&import) || is_list(&file), "{}: {import}", file.display());
            }
        }
    }
}

/// Whether a file is the attribute's own, or in its own folder.
fn belongs_to(file: &Path, name: &str) -> bool {
    file.components()
        .any(|part| Path::new(part.as_os_str()).file_stem().is_some_and(|stem| stem == name))
}

/// The files that list all attributes.
fn is_list(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name == "lib.rs" || name == "__private.rs")
}

#[test]
fn only_the_clock_knows_tokio() {
    for file in sources("resilience-core/src") {
        let code: String = code_of(&read(&file));
        assert!(!code.contains("tokio::") || file.ends_with("clock.rs"), "{}", file.display());
    }
}

#[test]
fn crates_depend_downwards_only() {
    let below: &[(&str, &[&str])] = &[
        ("rules", &[]),
        ("macros", &["rules"]),
        ("core", &["rules"]),
        ("idempotency", &["core", "rules"]),
        ("http", &["core", "idempotency"]),
        ("stores", &["core", "idempotency"]),
    ];
    for (name, allowed) in below {
        let manifest = read(format!("resilience-{name}/Cargo.toml"));
        let dependencies = manifest.split_once("\n[dependencies]\n").map_or("", |(_, rest)| rest);
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        let ours: Vec<&str> = dependencies
            .lines()
            .filter_map(|line| line.strip_prefix("resilience-")?.split(['.', ' ']).next())
            .collect();
        assert_eq!(&ours, allowed, "resilience-{name}");
    }
}

#[test]
fn the_macros_name_the_runtime_in_one_place() {
    for file in sources("resilience-macros/src") {
        let code = code_of(&read(&file));
        let names = code.contains("quote!(::resilience");
        assert_eq!(names, file.ends_with("args.rs"), "{}", file.display());
    }
}

/// The lines that are no comment.
fn code_of(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn files_have_one_job() {
    for folder in [
        "src",
        "resilience-core/src",
        "resilience-http/src",
        "resilience-idempotency/src",
        "resilience-macros/src",
        "resilience-rules/src",
        "resilience-stores/src",
    ] {
        for file in sources(folder) {
            let lines = read(&file).lines().count();
            assert!(lines <= 350, "{}: {lines} lines", file.display());
        }
    }
}
