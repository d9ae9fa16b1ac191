//! Compares functions with and without the attributes: the diagnostics of rustc and Clippy, the
//! coverage regions, and the drop order in each edition.
//!
//! Each file of `functions/` becomes a module of one crate without attributes, with each attribute,
//! and with some stacks. A line `#[attribute]` stands for the attributes, so all modules have the
//! same lines.

mod compiler;
mod coverage;
mod diagnostics;
mod editions;
mod findings;
mod variants;
