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
    let lists = ["lib.rs", "__internal.rs", "__private.rs"];
    file.file_name().is_some_and(|name| lists.iter().any(|list| name == *list))
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
        ("http", &["core", "idempotency", "rules"]),
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
            assert!(lines <= 700, "{}: {lines} lines", file.display());
        }
    }
}

/// The exports of a door of the core, by name.
fn exports(door: &str) -> Vec<String> {
    let text = code_of(&read(format!("resilience-core/src/{door}.rs")));
    let names = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    names.map(str::to_owned).collect()
}

#[test]
fn generated_code_names_only_what_its_door_exports() {
    let mut exported = exports("__private");
    // The facade adds the door of the idempotency crate.
    exported.push("idempotent".to_owned());
    for file in sources("resilience-macros/src") {
        let code = code_of(&read(&file));
        assert!(
            !code.contains("__internal"),
            "{}: generated code has its own door",
            file.display()
        );
        for (at, door) in code.match_indices("private::") {
            let rest = code.get(at + door.len()..).unwrap_or_default();
            let name: String = rest
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect();
            assert!(
                name.is_empty() || exported.contains(&name),
                "{}: `__private` does not export `{name}`",
                file.display()
            );
        }
    }
}

#[test]
fn sister_crates_use_the_internal_door_only() {
    for name in ["http", "idempotency", "stores"] {
        for file in sources(format!("resilience-{name}/src")) {
            let code = code_of(&read(&file));
            let foreign = code.contains("resilience_core::__private");
            assert!(!foreign, "{}: use `resilience_core::__internal`", file.display());
        }
    }
}

#[test]
fn the_doors_hold_no_code_and_nothing_imports_from_them() {
    for door in ["__internal", "__private"] {
        let text = code_of(&read(format!("resilience-core/src/{door}.rs")));
        for keyword in ["fn ", "struct ", "enum ", "trait ", "impl ", "macro_rules"] {
            assert!(!text.contains(keyword), "{door}: {keyword}belongs to a module of its own");
        }
        for file in sources("resilience-core/src") {
            let text = code_of(&read(&file));
            assert!(!text.contains(&format!("use crate::{door}")), "{}", file.display());
        }
    }
}
