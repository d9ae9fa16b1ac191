//! Runs each defect that COMPARE.md names beside this library, and prints a Markdown table.
//!
//! `cargo run --manifest-path benches/peers/Cargo.toml --bin defects`. The program fails if a
//! defect no longer appears, so that the comparison can be corrected.

mod breakers;
mod budgets;
mod delays;
mod late_results;
mod panics;

use std::fmt::Display;
use std::process::ExitCode;

/// A defect of a peer, with the behavior of both sides.
struct Defect {
    peer: &'static str,
    setup: &'static str,
    theirs: String,
    ours: String,
    /// Whether the defect appears at the peer, and not here.
    is_shown: bool,
}

impl Defect {
    fn new(
        (peer, setup): (&'static str, &'static str),
        theirs: impl Display,
        ours: impl Display,
        is_shown: bool,
    ) -> Self {
        Self { peer, setup, theirs: theirs.to_string(), ours: ours.to_string(), is_shown }
    }
}

fn main() -> ExitCode {
    // The panics of the probes are expected.
    std::panic::set_hook(Box::new(|_| ()));
    let defects: Vec<_> =
        [delays::all(), budgets::all(), breakers::all(), late_results::all(), panics::all()]
            .into_iter()
            .flatten()
            .collect();
    println!("| peer | setup | peer | `resilience` |\n|---|---|---|---|");
    for Defect { peer, setup, theirs, ours, .. } in &defects {
        println!("| {peer} | {setup} | {theirs} | {ours} |");
    }
    let mut code = ExitCode::SUCCESS;
    for Defect { peer, setup, .. } in defects.iter().filter(|defect| !defect.is_shown) {
        eprintln!("error: the defect of {peer} does not appear: {setup}; correct COMPARE.md");
        code = ExitCode::FAILURE;
    }
    code
}
