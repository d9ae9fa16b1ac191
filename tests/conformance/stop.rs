//! The area `stop`: brings a run into the situation of a case, and observes an end or a
//! continuation.

use std::cell::Cell;
use std::time::Duration;

use resilience::{Jitter, RetryPolicy, testing};
use serde_json::{Value, json};

use crate::case::{Skip, count, duration, items, only, text};
use crate::report;

pub(crate) fn check(case: &Value) -> Result<Vec<String>, Skip> {
    let (config, events) = (&case["config"], items(&case["events"]));
    only(config, &["stop"])?;
    let known = ["attempt", "elapsed_ms", "upcoming_ms", "expect"];
    events.iter().try_for_each(|event| only(event, &known))?;
    let waits = events.iter().any(|event| duration(&event["upcoming_ms"]) > Some(Duration::ZERO));
    let policy = limited(RetryPolicy::new().unlimited(), &config["stop"], waits)?;
    Ok(report::per_event(case, |event| json!({ "stop": stop(policy, event) })))
}

/// Returns `policy` with the limits of `stop`; `waits` says whether a delay can follow.
fn limited(policy: RetryPolicy, stop: &Value, waits: bool) -> Result<RetryPolicy, Skip> {
    only(stop, &["kind", "n", "limit_ms", "of"])?;
    let limit = || duration(&stop["limit_ms"]).expect("`limit_ms` is a time");
    match text(&stop["kind"]) {
        "never" => Ok(policy),
        "after_attempt" => Ok(policy.attempts(count(&stop["n"]).expect("`n` is a number"))),
        // A deadline counts the next delay; without a delay the two kinds are equal.
        "after_delay" if waits => {
            Err("a limit that ignores the next delay is not implemented".into())
        }
        "after_delay" | "before_delay" => Ok(policy.deadline(limit())),
        "any" => {
            let mut parts = items(&stop["of"]).iter();
            parts.try_fold(policy, |policy, part| limited(policy, part, waits))
        }
        kind => Err(format!("stop `{kind}` is not built")),
    }
}

/// Returns whether `policy` gives up in the situation of `event`.
fn stop(policy: RetryPolicy, event: &Value) -> Value {
    let attempt = count(&event["attempt"]).expect("`attempt` is a number");
    let elapsed = duration(&event["elapsed_ms"]).unwrap_or_default();
    // All delays are zero except the next.
    let mut delays = vec![Duration::ZERO; attempt.saturating_sub(1) as usize];
    delays.push(duration(&event["upcoming_ms"]).unwrap_or_default());
    let policy = policy.list(delays.leak()).jitter(Jitter::None);

    let clock = testing::clock();
    let gave_up = Cell::new(None);
    let mut calls = 0;
    let body = || {
        calls += 1;
        if calls == attempt {
            clock.advance(elapsed);
        }
        if calls <= attempt { Err(()) } else { Ok(()) }
    };
    let always = |(): &()| true;
    let result = policy.on(always).on_give_up(|event| gave_up.set(Some(event.attempt))).run(body);
    match (result, gave_up.get()) {
        (Ok(()), None) => json!(false),
        (Err(()), Some(last)) if last == attempt => json!(true),
        // The situation did not occur, or the events differ from the behavior.
        other => json!(format!("{other:?} after {calls} calls")),
    }
}
