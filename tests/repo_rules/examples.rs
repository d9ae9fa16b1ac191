//! The pages that show a program of `examples/`.

use crate::{files, read};

#[test]
fn the_first_page_shows_the_program() {
    let program = read("examples/shop.rs");
    let (_, code) = program.split_once("results\")]\n\n").expect("the lints of an example");
    let page = read("docs/getting-started.md");
    assert!(
        page.contains(&format!("```rust\n{code}```\n")),
        "copy examples/shop.rs to docs/getting-started.md"
    );
}

#[test]
fn the_dependency_has_one_spelling() {
    for file in files("", &["md", "txt"]) {
        for line in read(&file).lines().filter(|line| line.contains("resilience-rs\"")) {
            let is_plain =
                line.starts_with("resilience = { package = \"resilience-rs\", version = ");
            assert!(is_plain || !line.contains("version"), "{}: {line}", file.display());
        }
        let renamed = read(&file).lines().any(|line| line.starts_with("resilience-rs = "));
        assert!(!renamed, "{}: write `resilience = {{ package = …`", file.display());
    }
}
