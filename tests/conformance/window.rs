//! The area `window`: the contents of the window of a breaker that never opens.
//!
//! Durations are not summed, and slow calls are not split by outcome: a window records failure and
//! slowness only.

use std::time::Duration;

use resilience::{CircuitBreaker, testing};
use serde_json::{Value, json};

use crate::breaker::figures;
use crate::breaker_settings::looks_back;
use crate::case::{Skip, count, duration, items, only, text};
use crate::report::per_event;

/// The limit of slow calls; short, so that a slow call barely advances the time of the events.
const SLOW: Duration = Duration::from_nanos(1);

pub(crate) fn check(case: &Value) -> Result<Vec<String>, Skip> {
    let config = &case["config"];
    only(config, &["window"])?;
    for event in items(&case["events"]) {
        only(event, &["at_ms", "count", "duration_ms", "expect", "op", "outcome", "slow"])?;
        if !matches!(text(&event["op"]), "observe" | "record") {
            return Err(format!("op {} is not built", event["op"]));
        }
    }
    let mut breaker = looks_back(CircuitBreaker::new(), &config["window"])?;
    breaker = breaker.failure_threshold(u32::MAX).min_calls(1);
    if items(&case["events"]).iter().any(|event| event["slow"] == true) {
        // A rate that no calls reach.
        breaker = breaker.slow_call(SLOW).slow_rate(2.0);
    }
    let clock = testing::clock();
    Ok(per_event(&counted(case), |event| {
        let at = duration(&event["at_ms"]).expect("`at_ms` is a time");
        clock.advance(at.saturating_sub(clock.elapsed()));
        if event["op"] == "record" {
            for _ in 0..count(&event["count"]).unwrap_or(1) {
                let call = breaker.try_acquire().expect("it never opens");
                if event["slow"] == true {
                    clock.advance(SLOW * 2);
                }
                if event["outcome"] == "success" { call.success() } else { call.failure() }
            }
        }
        let mut seen = figures(&breaker);
        // Zero calls have no rate; cases say 0.
        for rate in ["failure_rate", "slow_rate"] {
            seen[format!("raw_{rate}")] = json!(seen[rate].as_f64().unwrap_or_default());
        }
        json!({ "stats": seen })
    }))
}

/// Returns the case without the counters that this crate does not keep.
fn counted(case: &Value) -> Value {
    let mut case = case.clone();
    let events = case["events"].as_array_mut();
    for event in events.into_iter().flatten() {
        if let Some(stats) = event.pointer_mut("/expect/stats").and_then(Value::as_object_mut) {
            let left = ["slow_failed", "slow_succeeded", "total_duration_ms"];
            stats.retain(|key, _| !left.contains(&key.as_str()));
        }
    }
    case
}
