//! The published conformance cases, run with the crate's types under a virtual clock.
//!
//! `cargo test --test conformance -- --nocapture` prints the cases that ran, and the skipped cases
//! with reasons. `RESILIENCE_CONFORMANCE_DIR` names a folder with more case files.
#![cfg(feature = "tokio")] // Whose paused clock the awaited half needs.

mod backoff;
mod breaker;
mod breaker_settings;
mod budget;
mod bulkhead;
mod case;
mod composition;
mod rate_limiter;
mod report;
mod retry;
mod stop;
mod window;
mod wrong;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use case::{Skip, items, text};
use report::{Report, Verdict};
use serde_json::Value;

/// The number of `must` cases in the repository's files that run. Raise the number with every new
/// area, so that no case is skipped unnoticed.
const MUST_CASES: usize = 115;

/// Optional features of the cases that this crate has.
const BUILT: [&str; 9] = [
    "bulkhead_queue",
    "delay_hook",
    "force",
    "force_open_for",
    "open_state_metrics_snapshot",
    "reset",
    "server_pushback",
    "slow_calls",
    "state_disabled",
];

#[test]
fn conformance() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let mut report = Report::default();
    for file in case::files(&folder) {
        judge_file(&file, &mut report);
    }
    let must_cases = report.must_cases_run();
    if let Some(folder) = env::var_os("RESILIENCE_CONFORMANCE_DIR") {
        for file in case::files(&PathBuf::from(folder)) {
            judge_file(&file, &mut report);
        }
    }
    report.print();
    assert!(report.has_passed(), "some cases fail; see above");
    assert!(must_cases >= MUST_CASES, "only {must_cases} of {MUST_CASES} `must` cases were run");
}

fn judge_file(file: &Path, report: &mut Report) {
    for case in case::read(file) {
        report.add(&case, judge(&case));
    }
}

fn judge(case: &Value) -> Verdict {
    // A panicking case is reported like every other failure.
    match catch_unwind(AssertUnwindSafe(|| check(case))) {
        Ok(Ok(found)) if found.is_empty() => Verdict::Passed,
        Ok(Ok(found)) => Verdict::Failed(found),
        Ok(Err(reason)) => Verdict::Skipped(reason),
        Err(_) => Verdict::Failed(vec!["panicked; the message is on stderr".to_owned()]),
    }
}

/// Returns the expectations of `case` that the crate does not meet.
fn check(case: &Value) -> Result<Vec<String>, Skip> {
    if text(&case["adopt"]) == "contrast" {
        return Err("shows the behavior of another library by contrast".to_owned());
    }
    let check = match text(&case["area"]) {
        "retry" => retry::check,
        "backoff" => backoff::check,
        "stop" => stop::check,
        "budget" => budget::check,
        "breaker" => breaker::check,
        "window" => window::check,
        "composition" => composition::check,
        "bulkhead" => bulkhead::check,
        "rate_limiter" => rate_limiter::check,
        "predicate" => {
            return Err("lists of types are not implemented: `on` is a predicate".to_owned());
        }
        area => return Err(format!("area not built yet: {area}")),
    };
    match items(&case["requires"]).iter().map(text).find(|name| !BUILT.contains(name)) {
        Some(missing) => {
            let reason = breaker_settings::left_away(missing).map(str::to_owned);
            Err(reason.unwrap_or_else(|| format!("`{missing}` is not built")))
        }
        None => check(case),
    }
}
