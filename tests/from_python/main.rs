//! The equivalents of Python decorators in `docs/from-python.md`.
//!
//! `waits` compares the table of the page with the documented formula of each library and with the
//! behavior of the attribute. The other modules test the rest of the page.

mod breaker;
mod limits;
mod rules;
mod waits;

use std::time::Duration;

use resilience::testing;

const PAGE: &str = include_str!("../../docs/from-python.md");

/// The error of the functions under test.
#[derive(Debug, PartialEq, Eq)]
struct Down;

/// A virtual clock, and the start times of the calls.
struct Calls {
    clock: testing::Clock,
    starts: Vec<Duration>,
}

impl Calls {
    fn new() -> Self {
        Self { clock: testing::clock(), starts: Vec::new() }
    }

    /// Records a call and returns the number of calls.
    fn begin(&mut self) -> usize {
        self.starts.push(self.clock.elapsed());
        self.starts.len()
    }

    /// Returns the seconds between the calls.
    fn waits(&self) -> Vec<f64> {
        let starts = self.starts.iter().map(Duration::as_secs_f64);
        starts.clone().skip(1).zip(starts).map(|(next, last)| next - last).collect()
    }
}

/// Removes the layout from code.
fn bare(code: &str) -> String {
    code.split_whitespace().collect::<String>().replace(",)", ")")
}

#[test]
fn every_attribute_on_the_page_is_tested() {
    let tests = [
        include_str!("breaker.rs"),
        include_str!("limits.rs"),
        include_str!("rules.rs"),
        include_str!("waits.rs"),
    ];
    let tests = tests.map(bare).concat();
    let attributes = in_cells().into_iter().chain(in_blocks());
    let attributes: Vec<_> = attributes.filter(|code| code.contains(" = ")).collect();
    assert!(attributes.len() > 30, "{}", attributes.len());
    for code in attributes {
        assert!(tests.contains(&bare(&code)), "not tested: {code}");
    }
}

/// Returns the attributes in the tables.
fn in_cells() -> Vec<String> {
    let rows = PAGE.lines().filter(|line| line.starts_with('|'));
    let cells = rows.flat_map(|row| row.split('`')).filter(|cell| cell.starts_with("#["));
    cells.map(|cell| cell.replace("\\|", "|")).collect()
}

/// Returns the attributes above functions.
fn in_blocks() -> Vec<String> {
    let starts = PAGE.split("\n#[").skip(1);
    let attributes = starts.filter_map(|rest| Some(rest.split_once("]\n")?.0));
    attributes.map(|code| format!("#[{code}]")).collect()
}
