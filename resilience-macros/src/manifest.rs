//! The name of this library in the crate of the user: a dependency may be renamed in `Cargo.toml`.
//!
//! `again = { package = "resilience-rs", … }` makes the library `::again`. Without a manifest, and
//! without a renamed dependency, the name is `resilience`.

use std::cell::RefCell;
use std::path::Path;
use std::{env, fs};

use proc_macro2::Ident;

use crate::toml::{Entry, entries};

const PACKAGE: &str = "resilience-rs";
const LIBRARY: &str = "resilience";
const WORKSPACE: &str = "workspace";

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
    let mut workspace = None;
    let names: Vec<String> = dependencies(&entries(&manifest), false)
        .into_iter()
        .filter(|dependency| match dependency.package {
            Package::OfWorkspace => {
                let shared = workspace.get_or_insert_with(|| names_in_workspace(folder));
                shared.contains(&dependency.name)
            }
            _ => dependency.is_library(),
        })
        .map(|dependency| dependency.name)
        .collect();
    // A crate may have the library under both names.
    let is_default = |name: &String| name == PACKAGE || name == LIBRARY;
    if names.iter().any(is_default) {
        return None;
    }
    // An incomplete manifest in an editor may have any name.
    let is_identifier = |name: &String| syn::parse_str::<Ident>(name).is_ok();
    names.into_iter().map(|name| name.replace('-', "_")).find(is_identifier)
}

/// Returns the names under which the workspace lists the library.
fn names_in_workspace(folder: &Path) -> Vec<String> {
    let manifests = folder.ancestors().map(|folder| folder.join("Cargo.toml"));
    let manifests = manifests.filter_map(|path| fs::read_to_string(path).ok());
    let is_workspace = |entry: &Entry| matches!(&entry.path[..], [first, ..] if first == WORKSPACE);
    let mut manifests = manifests.map(|manifest| entries(&manifest));
    let root = manifests.find(|entries| entries.iter().any(is_workspace)).unwrap_or_default();
    let library = dependencies(&root, true).into_iter().filter(Dependency::is_library);
    library.map(|dependency| dependency.name).collect()
}

#[derive(Debug, PartialEq)]
struct Dependency {
    name: String,
    package: Package,
}

impl Dependency {
    fn is_library(&self) -> bool {
        match &self.package {
            Package::Named(package) => package == PACKAGE,
            Package::Same => self.name == PACKAGE,
            Package::OfWorkspace => false,
        }
    }
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
fn dependencies(entries: &[Entry], of_workspace: bool) -> Vec<Dependency> {
    let mut found: Vec<(&[String], Dependency)> = Vec::new();
    for Entry { path, value } in entries {
        // `dependencies`, `target.….dev-dependencies` or `workspace.dependencies`.
        let list = match path.first().map(String::as_str) {
            Some(WORKSPACE) if of_workspace => 1,
            Some("target") if !of_workspace => 2,
            _ if !of_workspace => 0,
            _ => continue,
        };
        let Some((at, key)) = path.split_at_checked(list + 2) else { continue };
        let [.., list, name] = at else { continue };
        if !list.ends_with("dependencies") {
            continue;
        }
        let index = found.iter().position(|(known, _)| *known == at).unwrap_or_else(|| {
            found.push((at, Dependency { name: name.clone(), package: Package::Same }));
            found.len() - 1
        });
        let Some((_, dependency)) = found.get_mut(index) else { continue };
        match key {
            [key] if key == "package" => dependency.package = Package::Named(value.clone()),
            [key] if key == WORKSPACE => dependency.package = Package::OfWorkspace,
            _ => {}
        }
    }
    found.into_iter().map(|(_, dependency)| dependency).collect()
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
        assert_eq!(dependencies(&entries(manifest), false), expected);
        let expected = [dependency("shared", named("resilience-rs"))];
        assert_eq!(dependencies(&entries(manifest), true), expected);
    }

    /// Returns the name in a crate with this manifest, below a workspace with these dependencies.
    fn find_with(test: &str, workspace: &str, manifest: &str) -> Option<String> {
        let root = env::temp_dir().join(format!("resilience-{test}-{}", std::process::id()));
        let member = root.join("member");
        fs::create_dir_all(&member).expect("a folder");
        let workspace = format!("[workspace.dependencies]\n{workspace}\n");
        fs::write(root.join("Cargo.toml"), workspace).expect("a manifest");
        fs::write(member.join("Cargo.toml"), manifest).expect("a manifest");
        let name = find(&member);
        fs::remove_dir_all(root).expect("the folder");
        name
    }

    #[test]
    fn the_workspace_names_a_shared_dependency() {
        let find_with = |workspace: &str, dependency: &str| {
            let manifest = format!("[dependencies]\nserde.workspace = true\n{dependency}\n");
            find_with("workspace", workspace, &manifest)
        };
        let renamed = "serde = \"1\"\nmy-again = { package = \"resilience-rs\" }";
        assert_eq!(find_with(renamed, "my-again.workspace = true").as_deref(), Some("my_again"));
        let table = "[dependencies.my-again]\nworkspace = true";
        assert_eq!(find_with(renamed, table).as_deref(), Some("my_again"));
        let both = "my-again.workspace = true\nresilience-rs.workspace = true";
        let plain = format!("{renamed}\nresilience-rs = \"0.1\"");
        assert_eq!(find_with(&plain, both), None);
        assert_eq!(find_with(renamed, "other.workspace = true"), None);
        let dotted =
            "my-again.version = \"0.1\"\nserde = \"1\"\nmy-again.package = 'resilience-rs'";
        assert_eq!(find_with(dotted, "my-again.workspace = true").as_deref(), Some("my_again"));
    }

    #[test]
    fn a_renamed_dependency_is_found_in_every_form() {
        // `@` stands for the key that names the package.
        for manifest in [
            "[dependencies]\n# old = { @ }\nagain = { @ }",
            "[dependencies]\n# resilience-rs = '1'\nagain = { @ }",
            "[dependencies]\nagain.version = '1'\nserde = '1'\nagain.@",
            "[dependencies]\nagain = { features = [\n'a', # old\n], @ }",
            "[dependencies]\nagain = { features = ['a,b', '{'], @ }",
            "[dependencies.again] # a table\nfeatures = [\n'x', # package = 'x'\n]\n@",
            "[ dependencies . \"again\" ]\n@",
            "[build-dependencies]\nagain = { @ }",
            "[target.'cfg(any(unix, target_os = \"]\"))'.dependencies]\nagain = { @ }",
            "[target.'cfg(unix)'.dev-dependencies.again]\n@",
            "[target.x86_64-pc-windows-msvc.dependencies]\nagain.@",
            "dependencies.again.@",
        ] {
            let text = manifest.replace('@', "package = \"resilience-rs\"");
            assert_eq!(find_with("forms", "", &text).as_deref(), Some("again"), "{manifest}");
        }
        for manifest in [
            "[package]\ndescription = '''\n[dependencies]\nold = { @ }'''",
            "[dependencies]\nold = '1' # { @ }",
            "[dependencies]\n'a b' = { @ }",
            "[package.metadata.dependencies]\nold = { @ }",
            "[workspace.dependencies]\nold = { @ }",
        ] {
            let text = manifest.replace('@', "package = \"resilience-rs\"");
            assert_eq!(find_with("forms", "", &text), None, "{manifest}");
        }
    }

    #[test]
    fn this_crate_uses_the_default_name() {
        assert_eq!(library_name(), LIBRARY);
    }
}
