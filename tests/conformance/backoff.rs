//! The area `backoff`: [`RetryPolicy::delay`] for given numbers of retries and given draws.

use std::time::Duration;

use resilience::{Jitter, RetryPolicy, testing};
use serde_json::{Value, json};

use crate::case::{Skip, count, duration, items, millis, only, text};
use crate::report;

pub(crate) fn check(case: &Value) -> Result<Vec<String>, Skip> {
    let (config, events) = (&case["config"], items(&case["events"]));
    only(config, &["backoff", "stateful"])?;
    events.iter().try_for_each(|event| only(event, &["n", "u", "expect"]))?;
    let draws: Vec<_> = events.iter().filter_map(|event| event["u"].as_f64()).collect();
    let policy = policy(&config["backoff"], &draws)?;

    let mut previous = None;
    Ok(report::per_event(case, |event| {
        let _draws = testing::draws(event["u"].as_f64());
        let delay = policy.delay(count(&event["n"]).expect("`n` is a number"), previous);
        if config["stateful"] == true {
            previous = Some(delay);
        }
        // Without a ceiling, a delay saturates at the longest duration, which differs between
        // libraries.
        let longest = duration(&config["backoff"]["saturate_ms"]).unwrap_or(Duration::MAX);
        json!({ "delay_ms": millis(if delay == Duration::MAX { longest } else { delay }) })
    }))
}

/// Returns the policy with the delays of `backoff`, for a case that uses these `draws`.
pub(crate) fn policy(backoff: &Value, draws: &[f64]) -> Result<RetryPolicy, Skip> {
    let policy = RetryPolicy::new().jitter(jitter(backoff, draws)?);
    let policy = match text(&backoff["kind"]) {
        // No backoff, no delay: without a `base_ms` the base is zero.
        "" | "none" | "constant" => policy.fixed(),
        "linear" => policy.linear(),
        "fibonacci" => policy.fibonacci(),
        "exponential" => policy.factor(backoff["factor"].as_f64().unwrap_or(2.0)),
        "decorrelated" => policy.jitter(Jitter::Decorrelated),
        "sequence" => {
            let delays: Vec<_> = items(&backoff["delays_ms"]).iter().filter_map(duration).collect();
            // A list is `'static`, so the test leaks the list.
            policy.list(delays.leak())
        }
        kind => return Err(format!("backoff `{kind}` is not built")),
    };
    let known = ["base_ms", "cap_order", "delays_ms", "factor", "jitter", "kind"];
    only(backoff, &[known.as_slice(), &["max_ms", "saturate_ms"]].concat())?;
    let base = duration(&backoff["base_ms"]).unwrap_or_default();
    Ok(policy.base_delay(base).max_delay(duration(&backoff["max_ms"]).unwrap_or(Duration::MAX)))
}

fn jitter(backoff: &Value, draws: &[f64]) -> Result<Jitter, Skip> {
    let jitter = &backoff["jitter"];
    only(jitter, &["factor", "kind", "max_ms"])?;
    let kind = match text(&jitter["kind"]) {
        "" | "none" => return Ok(Jitter::None),
        "full" => Jitter::Full,
        "equal" => Jitter::Equal,
        "additive" if backoff["max_ms"].is_null() => {
            Jitter::UpTo(duration(&jitter["max_ms"]).unwrap_or_default())
        }
        "additive" => return Err("by design additive jitter stays below the ceiling".to_owned()),
        // `x * (1 - f + 2 * f * u)` is not a built-in jitter, but equals `x` at the center of
        // every draw.
        "proportional" if draws.iter().all(|&draw| (draw - 0.5).abs() < f64::EPSILON) => {
            return Ok(Jitter::None);
        }
        other => return Err(format!("jitter `{other}` is not built")),
    };
    if text(&backoff["cap_order"]) == "after_jitter" {
        return Err("by design the ceiling is applied before the jitter".to_owned());
    }
    Ok(kind)
}
