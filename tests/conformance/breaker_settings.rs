//! The settings of a breaker from a case, and the deliberate deviations of this crate.

use resilience::CircuitBreaker;
use serde_json::Value;

use crate::case::{Skip, count, duration, items, only, text};

/// Returns the breaker of a case. No case tests a call at the exact end of the open time: this
/// crate admits a trial call then (`inclusive`).
pub(crate) fn build(config: &Value) -> Result<CircuitBreaker, Skip> {
    let breaker = opens(trips(config)?, &config["open"])?;
    match config.get("half_open") {
        Some(half_open) => closes(breaker, half_open),
        None => Ok(breaker),
    }
}

fn trips(config: &Value) -> Result<CircuitBreaker, Skip> {
    let trip = &config["trip"];
    let number = |key: &str| count(&trip[key]).unwrap_or(1);
    let new = CircuitBreaker::new();
    match text(&trip["kind"]) {
        "consecutive" => {
            only(trip, &["failures", "kind"])?;
            Ok(new.failure_threshold(number("failures")))
        }
        "count_of" => {
            only(trip, &["failures", "kind", "of"])?;
            Ok(new.count_window(number("of")).failure_threshold(number("failures")))
        }
        "rate" => {
            let known = ["comparison", "evaluate_on", "failure_rate", "kind", "min_calls"];
            only(trip, &[known.as_slice(), &["slow_rate", "window"]].concat())?;
            let mut breaker = looks_back(new, &trip["window"])?.min_calls(number("min_calls"));
            breaker = match trip["failure_rate"].as_f64() {
                Some(rate) => breaker.failure_rate(rate),
                // Slow calls only: no number of failures is enough.
                None => breaker.failure_threshold(u32::MAX),
            };
            let slow = duration(&config["slow_call_ms"]).zip(trip["slow_rate"].as_f64());
            Ok(match slow {
                Some((limit, rate)) => breaker.slow_call(limit).slow_rate(rate),
                None => breaker,
            })
        }
        kind => Err(format!("trip `{kind}` is not built")),
    }
}

/// Returns the breaker with the window of a case.
pub(crate) fn looks_back(breaker: CircuitBreaker, window: &Value) -> Result<CircuitBreaker, Skip> {
    match text(&window["kind"]) {
        "count" => {
            only(window, &["kind", "size"])?;
            Ok(breaker.count_window(count(&window["size"]).expect("a size is a number")))
        }
        "time" => {
            only(window, &["buckets", "duration_ms", "kind"])?;
            let length = duration(&window["duration_ms"]).expect("a length is a time");
            let buckets = count(&window["buckets"]).expect("buckets are a number");
            Ok(breaker.time_window(length).window_buckets(buckets))
        }
        kind => Err(format!("window `{kind}` is not built: windows slide")),
    }
}

fn opens(breaker: CircuitBreaker, open: &Value) -> Result<CircuitBreaker, Skip> {
    only(open, &["boundary", "duration_ms", "schedule_ms"])?;
    let schedule = items(&open["schedule_ms"]);
    match (schedule.first().and_then(duration), schedule.last().and_then(duration)) {
        (Some(first), Some(last)) => Ok(breaker.reset_timeout(first).max_reset_timeout(last)),
        _ => Ok(breaker.reset_timeout(duration(&open["duration_ms"]).expect("a time is given"))),
    }
}

/// A setting that maps to the nearest equivalent only: a case may or may not depend on the
/// difference.
pub(crate) fn approximation(config: &Value) -> Option<&'static str> {
    let schedule = items(&config["open"]["schedule_ms"]);
    let doubles = |pair: &[Value]| {
        let twice = pair[0].as_f64().map(|time| time * 2.0);
        twice == pair[1].as_f64() || pair[1] == *schedule.last().expect("it has pairs")
    };
    let is_doubling = schedule.windows(2).all(doubles);
    (!is_doubling).then_some("asserts a growth factor of the open time other than two")
}

fn closes(breaker: CircuitBreaker, half_open: &Value) -> Result<CircuitBreaker, Skip> {
    only(half_open, &["decide", "permits"])?;
    let decide = &half_open["decide"];
    let (calls, successes) = match text(&decide["kind"]) {
        "success_ratio" => {
            only(decide, &["kind", "of", "successes"])?;
            (count(&decide["of"]), count(&decide["successes"]))
        }
        "rate" => {
            only(decide, &["calls", "failure_rate", "kind", "slow_rate"])?;
            let calls = count(&decide["calls"]).expect("a number of calls");
            (Some(calls), failures_that_open(decide, "failure_rate").map(|bad| calls + 1 - bad))
        }
        kind => return Err(format!("half-open deciding by `{kind}` is not built")),
    };
    if calls != count(&half_open["permits"]) {
        return Err("by design as many probes are let through as can decide".to_owned());
    }
    let (calls, successes) = calls.zip(successes).ok_or("nothing decides")?;
    Ok(breaker.half_open_calls(calls).success_threshold(successes))
}

/// Returns how many of the calls have to fail for a rate.
fn failures_that_open(decide: &Value, rate: &str) -> Option<u32> {
    let (calls, rate) = (count(&decide["calls"])?, decide[rate].as_f64()?);
    (0..=calls).find(|bad| f64::from(*bad) / f64::from(calls) >= rate - 1e-12)
}

/// Returns why the opening of a closed breaker is unknown to the case.
pub(crate) fn opened_by_design(
    trip: &Value,
    by_success: bool,
    rate: Option<f64>,
) -> Option<&'static str> {
    let exact = trip["failure_rate"].as_f64().zip(rate);
    let is_at_threshold = exact.is_some_and(|(limit, rate)| (limit - rate).abs() < 1e-12);
    if text(&trip["comparison"]) == "gt" && is_at_threshold {
        return Some("by design a reached rate opens, not only an exceeded rate");
    }
    let is_on_failure = text(&trip["evaluate_on"]) == "failure";
    (is_on_failure && by_success).then_some("by design a success is looked at, too")
}

/// The trial calls of one half-open state. Cases evaluate a rate after all trial calls, this crate
/// as soon as the result is certain.
#[derive(Default)]
pub(crate) struct Trial {
    changes: usize,
    calls: u32,
    failed: u32,
    slow: u32,
    bad: u32,
}

impl Trial {
    /// Records the end of a trial call of the state after this number of `changes`.
    pub(crate) fn count(&mut self, changes: usize, failed: bool, slow: bool) {
        if self.changes != changes {
            *self = Self { changes, ..Self::default() };
        }
        self.calls += 1;
        self.failed += u32::from(failed);
        self.slow += u32::from(slow);
        self.bad += u32::from(failed || slow);
    }

    pub(crate) fn by_design(&self, decide: &Value) -> Option<&'static str> {
        if text(&decide["kind"]) != "rate" {
            return None;
        }
        let calls = count(&decide["calls"])?;
        let enough = failures_that_open(decide, "failure_rate")?;
        let bad = if decide["slow_rate"].is_null() { self.failed } else { self.bad };
        if self.calls < calls && (bad >= enough || self.calls - bad > calls - enough) {
            return Some("by design half-open decides as soon as the result is certain");
        }
        // This crate has one rate for both; cases have two.
        let slow_enough = failures_that_open(decide, "slow_rate");
        let theirs = self.failed >= enough || slow_enough.is_some_and(|slow| self.slow >= slow);
        (self.calls == calls && theirs != (bad >= enough))
            .then_some("by design a slow trial call fails")
    }
}

/// Settings of the cases that this crate does not have, and the behavior of this crate instead.
pub(crate) fn left_away(feature: &str) -> Option<&'static str> {
    Some(match feature {
        "half_open_max_wait" => "each trial call has a lease instead of a limit for half-open",
        "half_open_queue" => "no call waits for a trial call: other calls are rejected at once",
        "isolation_handles" => "isolation is not counted: `force_open` holds until `force_close`",
        "state_metrics_only" => "a state for metrics only is not implemented",
        "window_tumbling" => "tumbling windows are not built: windows slide",
        _ => return None,
    })
}
