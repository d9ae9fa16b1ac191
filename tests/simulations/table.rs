//! The results next to the published results, printed as a whole and checked at the end.
#![allow(clippy::print_stdout, reason = "the tables are the output of these tests")]

use core::fmt;

/// Mean and deviation of single results.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) mean: f64,
    pub(crate) deviation: f64,
    count: f64,
}

impl Sample {
    pub(crate) fn of(results: impl IntoIterator<Item = f64>) -> Self {
        // Welford's method, in one pass.
        let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for result in results {
            count += 1.0;
            let off = result - mean;
            mean += off / count;
            squares += off * (result - mean);
        }
        Self { mean, deviation: (squares / (count - 1.0)).sqrt(), count }
    }

    /// Returns the standard error of the mean.
    pub(crate) fn standard_error(self) -> f64 {
        self.deviation / self.count.sqrt()
    }

    pub(crate) fn is_within(self, tolerance: f64, published: f64) -> bool {
        (self.mean - published).abs() <= tolerance
    }
}

/// Lines of text, and the deviations from the published results.
#[derive(Debug, Default)]
pub(crate) struct Table {
    text: String,
    misses: Vec<String>,
}

impl Table {
    pub(crate) fn line(&mut self, line: impl fmt::Display) {
        self.text += &line.to_string();
        self.text.push('\n');
    }

    pub(crate) fn row(&mut self, name: &str, cells: impl IntoIterator<Item = String>) {
        let row =
            cells.into_iter().fold(format!("{name:<44}"), |row, cell| format!("{row}{cell:>16}"));
        self.line(row);
    }

    /// Records a deviation if `found` differs from `published` by more than `tolerance`.
    pub(crate) fn expect(&mut self, what: &str, found: Sample, published: f64, tolerance: f64) {
        if !found.is_within(tolerance, published) {
            let mean = found.mean;
            self.misses.push(format!("{what}: {mean:.4}, not {published} ± {tolerance:.4}"));
        }
    }

    /// Records a deviation if a condition does not hold.
    pub(crate) fn hold(&mut self, holds: bool, what: impl fmt::Display) {
        if !holds {
            self.misses.push(what.to_string());
        }
    }

    /// Prints everything at once, because tests run in parallel; fails on deviations.
    pub(crate) fn finish(self) {
        println!("\n{}", self.text);
        assert!(self.misses.is_empty(), "not as published:\n{}", self.misses.join("\n"));
    }
}
