//! The examples in the documentation of the crates behind the facade, as doc tests. Only the facade
//! is a dependency, so an example that names another crate of the workspace does not compile.

/// The examples.
#[cfg(doctest)]
#[doc = include_str!(concat!(env!("OUT_DIR"), "/examples.md"))]
struct Examples;
