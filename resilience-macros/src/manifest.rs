//! The name of this library in the crate of the user: a dependency may be renamed in `Cargo.toml`.
//!
//! `again = { package = "resilience-rs", … }` makes the library `::again`. Without a manifest, and
//! without a renamed dependency, the name is `resilience`.

use std::cell::RefCell;
use std::path::Path;
use std::{env, fs};

const PACKAGE: &str = "resilience-rs";
const LIBRARY: &str = "resilience";

thread_local! {
    /// The last manifest folder and the name found there. A macro server expands several crates in
    /// one process.
    static LAST: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// Returns the name of this library in the crate under compilation.
pub(crate) fn library_name() -> String {
    let Ok(folder) = env::var("CARGO_MANIFEST_DIR") else { return LIBRARY.to_owned() };
    LAST.with_borrow_mut(|last| match last {
        Some((known, name)) if *known == folder => name.clone(),
        _ => {
            let name = find(Path::new(&folder)).unwrap_or_else(|| LIBRARY.to_owned());
            *last = Some((folder, name.clone()));
            name
        }
    })
}

fn find(folder: &Path) -> Option<String> {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let own = dependencies(&manifest, false);
    let mut workspace = None;
    let names: Vec<String> = own
        .into_iter()
        .filter(|dependency| match dependency.package {
            Package::Named(ref package) => package == PACKAGE,
            Package::Same => dependency.name == PACKAGE,
            Package::OfWorkspace => {
                let shared = workspace.get_or_insert_with(|| dependencies_of_workspace(folder));
                shared.contains(&dependency.name)
            }
        })
        .map(|dependency| dependency.name)
        .collect();
    // A crate may have the library under both names.
    let is_default = |name: &String| name == PACKAGE || name == LIBRARY;
    if names.iter().any(is_default) {
        return None;
    }
    names.into_iter().next().map(|name| name.replace('-', "_"))
}

/// Returns the names under which the workspace lists the library.
fn dependencies_of_workspace(folder: &Path) -> Vec<String> {
    let manifests = folder.ancestors().map(|folder| folder.join("Cargo.toml"));
    let mut manifests = manifests.filter_map(|path| fs::read_to_string(path).ok());
    let is_root = |text: &String| text.lines().any(|line| line.trim().starts_with("[workspace"));
    let Some(root) = manifests.find(is_root) else { return Vec::new() };
    let is_library = |dependency: &Dependency| match &dependency.package {
        Package::Named(package) => package == PACKAGE,
        Package::Same => dependency.name == PACKAGE,
        Package::OfWorkspace => false,
    };
    dependencies(&root, true)
        .into_iter()
        .filter(is_library)
        .map(|dependency| dependency.name)
        .collect()
}

#[derive(Debug, PartialEq)]
struct Dependency {
    name: String,
    package: Package,
}

#[derive(Debug, PartialEq)]
enum Package {
    /// The package has the name of the dependency.
    Same,
    /// `package = "…"`
    Named(String),
    /// `workspace = true`
    OfWorkspace,
}

/// Returns the dependencies of a package, or those of `[workspace.dependencies]`.
fn dependencies(manifest: &str, of_workspace: bool) -> Vec<Dependency> {
    let mut found = Vec::new();
    // Whether the lines are dependencies, and the dependency whose table the lines belong to.
    let (mut in_list, mut table) = (false, None::<usize>);
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            let header = header.trim();
            let is_workspace = header.starts_with("workspace.");
            in_list = header.ends_with("dependencies") && is_workspace == of_workspace;
            table = None;
            if let Some((list, name)) = header.rsplit_once("dependencies.") {
                let ends_list = list.is_empty() || list.ends_with(['.', '-']);
                if ends_list && is_workspace == of_workspace {
                    found.push(Dependency { name: unquoted(name), package: Package::Same });
                    table = found.len().checked_sub(1);
                }
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let (key, value) = (key.trim(), value.trim());
        if let Some(dependency) = table.and_then(|index| found.get_mut(index)) {
            match key {
                "package" => dependency.package = Package::Named(unquoted(value)),
                "workspace" => dependency.package = Package::OfWorkspace,
                _ => {}
            }
        } else if in_list {
            // `name.workspace = true`
            let (name, dotted) = match key.split_once('.') {
                Some((name, "workspace")) => (name, true),
                Some((name, _)) => (name, false),
                None => (key, false),
            };
            let package = match inline_value(value, "package") {
                Some(package) => Package::Named(unquoted(package)),
                None if dotted || inline_value(value, "workspace").is_some() => {
                    Package::OfWorkspace
                }
                None => Package::Same,
            };
            found.push(Dependency { name: unquoted(name), package });
        }
    }
    found
}

/// Returns the value of a key in an inline table.
fn inline_value<'t>(table: &'t str, key: &str) -> Option<&'t str> {
    table.strip_prefix('{')?.split([',', '{', '}']).find_map(|entry| {
        let (name, value) = entry.split_once('=')?;
        (name.trim() == key).then(|| value.trim())
    })
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    let end = |quote: char| text.strip_prefix(quote).and_then(|text| text.split(quote).next());
    end('"').or_else(|| end('\'')).unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(name: &str, package: Package) -> Dependency {
        Dependency { name: name.to_owned(), package }
    }

    #[test]
    fn every_form_of_a_dependency_is_read() {
        let named = |package: &str| Package::Named(package.to_owned());
        let manifest = r#"
            [package]
            name = "user" # no dependency
            [dependencies]
            serde = "1"
            again = { version = "0.1", package = "resilience-rs", features = ["tokio", "x"] } # renamed
            "quoted" = { package = 'resilience-rs' }
            shared.workspace = true
            other = { workspace = true }
            [dependencies.table]
            package = "resilience-rs"
            [target.'cfg(unix)'.dev-dependencies]
            last = { package = "resilience-rs" }
            [workspace.dependencies]
            shared = { package = "resilience-rs" }
            [features]
            not_a_dependency = []
        "#;
        let expected = [
            dependency("serde", Package::Same),
            dependency("again", named("resilience-rs")),
            dependency("quoted", named("resilience-rs")),
            dependency("shared", Package::OfWorkspace),
            dependency("other", Package::OfWorkspace),
            dependency("table", named("resilience-rs")),
            dependency("last", named("resilience-rs")),
        ];
        assert_eq!(dependencies(manifest, false), expected);
        let expected = [dependency("shared", named("resilience-rs"))];
        assert_eq!(dependencies(manifest, true), expected);
    }

    #[test]
    fn the_workspace_names_a_shared_dependency() {
        let root = env::temp_dir().join(format!("resilience-manifest-{}", std::process::id()));
        let member = root.join("member");
        fs::create_dir_all(&member).expect("a folder");
        let find_with = |workspace: &str, dependency: &str| {
            let workspace = format!("[workspace.dependencies]\n{workspace}\n");
            fs::write(root.join("Cargo.toml"), workspace).expect("a manifest");
            let dependency = format!("[dependencies]\nserde.workspace = true\n{dependency}\n");
            fs::write(member.join("Cargo.toml"), dependency).expect("a manifest");
            find(&member)
        };
        let renamed = "serde = \"1\"\nmy-again = { package = \"resilience-rs\" }";
        assert_eq!(find_with(renamed, "my-again.workspace = true").as_deref(), Some("my_again"));
        let table = "[dependencies.my-again]\nworkspace = true";
        assert_eq!(find_with(renamed, table).as_deref(), Some("my_again"));
        let both = "my-again.workspace = true\nresilience-rs.workspace = true";
        let plain = format!("{renamed}\nresilience-rs = \"0.1\"");
        assert_eq!(find_with(&plain, both), None);
        assert_eq!(find_with(renamed, "other.workspace = true"), None);
        fs::remove_dir_all(root).expect("the folder");
    }

    #[test]
    fn this_crate_uses_the_default_name() {
        assert_eq!(library_name(), LIBRARY);
    }
}
