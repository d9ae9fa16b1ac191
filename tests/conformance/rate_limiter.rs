//! The area `rate_limiter`: permits reserved under the virtual clock, and kept.

use std::time::Duration;

use resilience::{RateLimiter, testing};
use serde_json::{Value, json};

use crate::case::{Skip, count, duration, items, millis, only, text};
use crate::report::per_event;

pub(crate) fn check(case: &Value) -> Result<Vec<String>, Skip> {
    let config = &case["config"];
    let interval = match text(&config["kind"]) {
        "smooth" => {
            only(config, &["kind", "interval_ms", "max_wait_ms"])?;
            let interval = duration(&config["interval_ms"]).expect("an interval is a time");
            from_the_call(case, interval)?;
            interval
        }
        "gcra" => {
            only(config, &["kind", "interval_ms", "burst", "max_wait_ms"])?;
            duration(&config["interval_ms"]).expect("an interval is a time")
        }
        kind => {
            return Err(format!("rate limiter `{kind}` is not built: GCRA has no fixed periods"));
        }
    };
    for event in items(&case["events"]) {
        only(event, &["at_ms", "op", "count", "permits", "expect"])?;
        if !matches!(text(&event["op"]), "acquire" | "return" | "observe") {
            return Err(format!("op {} is not built", event["op"]));
        }
    }
    let limiter = RateLimiter::new(1, interval)
        .burst(count(&config["burst"]).unwrap_or(1))
        .wait(duration(&config["max_wait_ms"]).unwrap_or(Duration::MAX));
    let clock = testing::clock();
    let mut kept = Vec::new();
    Ok(per_event(case, |event| {
        let at = duration(&event["at_ms"]).expect("`at_ms` is a time");
        clock.advance(at.saturating_sub(clock.elapsed()));
        let mut seen = json!({});
        let number = |key| count(&event[key]).unwrap_or(1);
        match text(&event["op"]) {
            "acquire" => {
                for _ in 0..number("count") * number("permits") {
                    let reservation = limiter.reserve();
                    seen["permitted"] = json!(reservation.is_ok());
                    match reservation {
                        Ok(reservation) => {
                            seen["wait_ms"] = json!(millis(reservation.delay()));
                            kept.push(reservation);
                        }
                        Err(rejected) => {
                            seen["retry_after_ms"] = json!(rejected.retry_after().map(millis));
                        }
                    }
                }
                // If no permit is free, a call that cannot wait gets the time until a permit.
                if limiter.available() == 0 {
                    let left = limiter.try_acquire().expect_err("nothing is free").retry_after();
                    seen["next_free_ms"] = json!(left.map(|left| millis(at + left)));
                }
            }
            "return" => kept.truncate(kept.len() - number("count") as usize),
            _ => {}
        }
        seen["available"] = json!(limiter.available());
        seen
    }))
}

/// Published smooth limiters issue permits on a grid from their start; GCRA counts from the call.
/// The two differ after a call that follows a rest and falls between two grid lines: on the grid
/// the next call may be closer than the interval.
fn from_the_call(case: &Value, interval: Duration) -> Result<(), Skip> {
    let mut free = Duration::ZERO;
    for event in items(&case["events"]) {
        let at = duration(&event["at_ms"]).unwrap_or_default();
        if at > free && at.as_nanos() % interval.as_nanos() != 0 {
            return Err("counts on a grid of intervals, where GCRA counts from the call".to_owned());
        }
        let permits = count(&event["count"]).unwrap_or(1) * count(&event["permits"]).unwrap_or(1);
        free = free.max(at) + interval * permits;
    }
    Ok(())
}
