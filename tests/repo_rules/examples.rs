//! The pages that show a program of `examples/`.

use crate::read;

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
