//! Which crate and module may name which, and the parts that each attribute has.

use std::io::{self, Write as _};
use std::path::Path;

use crate::{SOURCES, comment, files, read, words};

/// Returns the attributes, from the list that makes their entry points.
fn attributes() -> Vec<String> {
    let source = read("resilience-macros/src/lib.rs");
    let (_, list) = source.rsplit_once("attributes! {").expect("the list of attributes");
    let lines = list.lines().filter_map(|line| line.trim().split_once(": attrs::"));
    lines.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn each_attribute_has_its_page_its_tests_and_its_cases() {
    let names = attributes();
    assert!(names.contains(&"retry".to_owned()), "{names:?}");
    let suites = read("tests/every_attribute/attributes.rs").replace(char::is_whitespace, "");
    let mentions: Vec<_> = files("tests/compile_errors/cases/every_attribute", &["rs"])
        .into_iter()
        .chain([
            "tests/compile_errors/src/every_attribute.rs".into(),
            "tests/compile_errors/src/reexported.rs".into(),
            "tests/lints.rs".into(),
            "README.md".into(),
        ])
        .collect();
    let facade = read("src/lib.rs");
    for name in names {
        for folder in [format!("tests/{name}"), format!("tests/compile_errors/cases/{name}")] {
            assert!(!files(&folder, &["rs"]).is_empty(), "{folder} is empty");
        }
        let page = format!("docs/{name}.md");
        assert!(
            facade.contains(&format!("include_str!(\"../{page}\")")),
            "{page} is not in rustdoc"
        );
        assert!(read(&page).contains("# Keys"), "{page} does not list the keys");
        assert!(suites.contains(&format!("suites!({name},")), "{name} is not in the suites");
        for file in &mentions {
            let text = read(file);
            let is_there = ["#[", "#[resilience::", "#[exports::resilience::"]
                .iter()
                .any(|before| text.contains(&format!("{before}{name}")));
            assert!(is_there, "{} does not mention `#[{name}]`", file.display());
        }
        let examples = files("examples", &["rs"]);
        let is_shown = examples.iter().any(|example| read(example).contains(&format!("#[{name}")));
        assert!(is_shown, "no example uses `#[{name}]`");
    }
}

#[test]
fn attributes_and_patterns_do_not_import_their_siblings() {
    let names = attributes();
    for (folder, path) in
        [("resilience-macros/src/attrs", "crate::attrs::"), ("resilience-core/src", "crate::")]
    {
        for file in files(folder, &["rs"]) {
            let text = read(&file);
            for name in names.iter().filter(|name| !belongs_to(&file, name)) {
                let import = format!("use {path}{name}::");
                assert!(!text.contains(&import) || is_list(&file), "{}: {import}", file.display());
            }
        }
    }
}

/// Whether a file is the module `name`, or in the folder of that module.
fn belongs_to(file: &Path, name: &str) -> bool {
    file.components()
        .any(|part| Path::new(part.as_os_str()).file_stem().is_some_and(|stem| stem == name))
}

/// Whether a file lists all attributes.
fn is_list(file: &Path) -> bool {
    ["lib", "__private", "__internal"].iter().any(|name| belongs_to(file, name))
}

#[test]
fn only_the_clock_knows_tokio() {
    for file in files("resilience-core/src", &["rs"]) {
        let code = code_of(&read(&file));
        assert!(!code.contains("tokio::") || belongs_to(&file, "clock"), "{}", file.display());
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
        ("stores", &["core", "idempotency", "rules"]),
        ("operations", &["core", "rules"]),
    ];
    for (name, allowed) in below {
        let manifest = read(format!("resilience-{name}/Cargo.toml"));
        let dependencies = manifest.split_once("\n[dependencies]\n").map_or("", |(_, rest)| rest);
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        for line in dependencies.lines().filter_map(|line| line.strip_prefix("resilience-")) {
            let dependency = line.split(['.', ' ']).next().unwrap_or_default();
            assert!(allowed.contains(&dependency), "resilience-{name} depends on {dependency}");
        }
    }
}

/// Rustdoc shows the feature of a re-exported item only where the item is named. A glob hides it.
#[test]
fn the_facade_names_the_items_of_features() {
    let facade = code_of(&read("src/lib.rs"));
    for name in ["http", "stores"] {
        let source = code_of(&read(format!("resilience-{name}/src/lib.rs")));
        let (_, names) =
            facade.split_once(&format!("pub use resilience_{name}::*;")).expect("a glob");
        let names: Vec<_> = words(names.split("\n}").next().unwrap_or_default()).collect();
        for gated in source.split("#[cfg(").skip(1) {
            let item = gated.split_once(")]\n").map_or("", |(_, item)| item);
            let items = item.split(';').next().unwrap_or_default();
            let items = match (items.strip_prefix("pub use "), items.strip_prefix("pub mod ")) {
                (Some(list), _) => list.rsplit("::").next().unwrap_or_default(),
                (None, Some(module)) => module,
                (None, None) => continue,
            };
            for item in words(items).filter(|item| *item != "self") {
                assert!(names.contains(&item), "src/lib.rs: re-export `{name}::{item}` by name");
            }
        }
    }
}

#[test]
fn the_macros_name_the_runtime_in_one_place() {
    let files = files("resilience-macros/src", &["rs"]);
    let is_place = |code: &str| {
        code.contains("quote!(::resilience") || code.contains("manifest::library_name()")
    };
    let places: Vec<_> = files.iter().filter(|file| is_place(&code_of(&read(file)))).collect();
    assert_eq!(places.len(), 1, "{places:?}");
}

/// Returns the names in a door of the core.
fn exports(door: &str) -> Vec<String> {
    let text = code_of(&read(format!("resilience-core/src/{door}.rs")));
    words(&text).map(str::to_owned).collect()
}

#[test]
fn generated_code_names_only_what_its_door_exports() {
    let mut exported = exports("__private");
    // The facade adds the door of the idempotency crate.
    exported.push("idempotent".to_owned());
    for file in files("resilience-macros/src", &["rs"]) {
        let code = code_of(&read(&file));
        assert!(!code.contains("__internal"), "{}: use `__private`", file.display());
        for rest in code.split("private::").skip(1) {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let name = &rest[..end];
            assert!(
                name.is_empty() || exported.iter().any(|it| it == name),
                "{}: `__private` does not export `{name}`",
                file.display()
            );
        }
    }
}

#[test]
fn sister_crates_use_the_internal_door_only() {
    for name in ["http", "idempotency", "stores"] {
        for file in files(format!("resilience-{name}/src"), &["rs"]) {
            let is_foreign = code_of(&read(&file)).contains("resilience_core::__private");
            assert!(!is_foreign, "{}: use `resilience_core::__internal`", file.display());
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
        for file in files("resilience-core/src", &["rs"]) {
            let text = code_of(&read(&file));
            assert!(!text.contains(&format!("use crate::{door}")), "{}", file.display());
        }
    }
}

/// A hint, because length alone is no reason to split a file.
#[test]
fn long_files_are_listed() {
    const HINT: usize = 700;
    for folder in SOURCES {
        for file in files(folder, &["rs"]) {
            let lines = read(&file).lines().count();
            if lines > HINT {
                // The test harness does not capture what is written without `print!`.
                let _ =
                    writeln!(io::stderr(), "{}: {lines} lines: has it one job?", file.display());
            }
        }
    }
}

/// Returns the lines that are not comments.
fn code_of(text: &str) -> String {
    text.lines().filter(|line| comment(line).is_none()).collect::<Vec<_>>().join("\n")
}
