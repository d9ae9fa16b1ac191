//! Compares the expectations of a case with the observations, and reports the results.
#![allow(clippy::print_stdout, reason = "the report is the output of this test")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::case::{items, text};

/// The result of a case.
#[derive(Debug)]
pub(crate) enum Verdict {
    Passed,
    /// Not run, for this reason.
    Skipped(String),
    /// Each difference in words.
    Failed(Vec<String>),
}

/// Returns the differences of a case with an expectation per event.
pub(crate) fn per_event(case: &Value, mut observe: impl FnMut(&Value) -> Value) -> Vec<String> {
    let mut found = Vec::new();
    for (index, event) in items(&case["events"]).iter().enumerate() {
        let seen = observe(event);
        if let Some(expected) = event.get("expect") {
            compare(expected, &seen, &format!("events[{index}]"), &mut found);
        }
    }
    compare(&case["expect"], &json!({}), "expect", &mut found);
    found
}

/// Appends the differences between `seen` and `expected` to `found`. For an object only the
/// expected keys count. An object of `min` and `max` is a range.
pub(crate) fn compare(expected: &Value, seen: &Value, path: &str, found: &mut Vec<String>) {
    let equal = match (expected, seen) {
        (Value::Object(range), _) if is_range(expected) => seen.as_f64().is_some_and(|seen| {
            let bound = |key| range.get(key).and_then(Value::as_f64);
            bound("min").is_none_or(|min| seen >= min - TOLERANCE)
                && bound("max").is_none_or(|max| seen <= max + TOLERANCE)
        }),
        (Value::Object(fields), Value::Object(_)) => {
            for (key, field) in fields {
                let path = format!("{path}.{key}");
                match seen.get(key) {
                    Some(seen) => compare(field, seen, &path, found),
                    None => found.push(format!("{path}: expected {field}, got nothing")),
                }
            }
            true
        }
        (Value::Array(expected), Value::Array(seen)) if expected.len() == seen.len() => {
            for (index, (expected, seen)) in expected.iter().zip(seen).enumerate() {
                compare(expected, seen, &format!("{path}[{index}]"), found);
            }
            true
        }
        (Value::Number(expected), Value::Number(seen)) => {
            expected.as_f64().zip(seen.as_f64()).is_some_and(|(expected, seen)| {
                (expected - seen).abs() <= TOLERANCE.max(RELATIVE_TOLERANCE * expected.abs())
            })
        }
        _ => expected == seen,
    };
    if !equal {
        found.push(format!("{path}: expected {expected}, got {seen}"));
    }
}

/// A nanosecond, in milliseconds.
const TOLERANCE: f64 = 1e-6;
/// Each decorrelated delay multiplies the rounding error of the previous delay. The cases allow a
/// whole millisecond for a jittered delay.
const RELATIVE_TOLERANCE: f64 = 1e-6;

fn is_range(expected: &Value) -> bool {
    expected.as_object().is_some_and(|fields| {
        !fields.is_empty() && fields.keys().all(|key| key == "min" || key == "max")
    })
}

/// The number of results per area and level.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// The results so far.
#[derive(Default)]
pub(crate) struct Report {
    /// By area and level.
    tallies: BTreeMap<(String, String), Tally>,
    /// The skipped cases, by reason.
    skipped: BTreeMap<String, Vec<String>>,
    failures: Vec<(String, Vec<String>)>,
}

impl Report {
    pub(crate) fn add(&mut self, case: &Value, verdict: Verdict) {
        let word = |key| text(&case[key]).to_owned();
        let tally = self.tallies.entry((word("area"), word("adopt"))).or_default();
        match verdict {
            Verdict::Passed => tally.passed += 1,
            Verdict::Skipped(reason) => {
                tally.skipped += 1;
                self.skipped.entry(reason).or_default().push(word("id"));
            }
            Verdict::Failed(found) => {
                tally.failed += 1;
                self.failures.push((word("id"), found));
            }
        }
    }

    pub(crate) fn has_passed(&self) -> bool {
        self.failures.is_empty()
    }

    /// The number of `must` cases that ran.
    pub(crate) fn must_cases_run(&self) -> usize {
        let must = self.tallies.iter().filter(|((_, level), _)| level == "must");
        must.map(|(_, tally)| tally.passed + tally.failed).sum()
    }

    pub(crate) fn print(&self) {
        println!("{:<14}{:<8}{:>6}{:>8}{:>9}", "area", "level", "run", "passed", "skipped");
        for ((area, level), Tally { passed, failed, skipped }) in &self.tallies {
            println!("{area:<14}{level:<8}{:>6}{passed:>8}{skipped:>9}", passed + failed);
        }
        for (reason, cases) in &self.skipped {
            println!("\nskipped, {reason}:\n    {}", cases.join("\n    "));
        }
        for (case, found) in &self.failures {
            println!("\nFAILED {case}:\n    {}", found.join("\n    "));
        }
    }
}
