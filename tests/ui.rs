//! The compile errors, word for word, and callers that must compile.
//!
//! The words around ours are the compiler's, so the snapshots are bound to one version of it; on
//! another they are skipped, and the report says so. To accept new ones: `TRYBUILD=overwrite cargo
//! test --test ui`.

#[rustversion::attr(not(stable(1.95)), ignore = "the snapshots are those of Rust 1.95")]
#[test]
fn compile_errors() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*/fail/*.rs");
    cases.pass("tests/ui/*/pass/*.rs");
}
