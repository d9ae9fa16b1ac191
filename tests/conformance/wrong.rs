//! Checks the runner: wrong expectations must fail.

use serde_json::{Value, json};

use crate::judge;
use crate::report::Verdict;

#[test]
fn wrong_expectations_are_failures() {
    assert_eq!(
        found(
            "retry",
            &json!({"max_attempts": 2}),
            &json!({"outcome": "err", "error": "down"}),
            &json!({"attempts": 3, "delays_ms": [0], "result": {"kind": "ok"}}),
        ),
        [
            "sync.attempts: expected 3, got 2",
            r#"sync.result.kind: expected "ok", got "err""#,
            "async.attempts: expected 3, got 2",
            r#"async.result.kind: expected "ok", got "err""#,
        ],
    );
    assert_eq!(
        found(
            "backoff",
            &json!({"backoff": {"kind": "linear", "base_ms": 10}}),
            &json!({"n": 3, "expect": {"delay_ms": {"min": 31, "max": 40}}}),
            &json!({}),
        ),
        [r#"events[0].delay_ms: expected {"max":40,"min":31}, got 30.0"#],
    );
    assert_eq!(
        found(
            "stop",
            &json!({"stop": {"kind": "before_delay", "limit_ms": 10}}),
            &json!({"attempt": 2, "elapsed_ms": 7, "upcoming_ms": 3, "expect": {"stop": false}}),
            &json!({}),
        ),
        ["events[0].stop: expected false, got true"],
    );
    assert_eq!(
        found(
            "bulkhead",
            &json!({"max_concurrent": 1}),
            &json!({"op": "acquire", "id": "1", "expect": {"result": "queued"}}),
            &json!({"order": ["exit:1"]}),
        ),
        [
            r#"events[0].result: expected "queued", got "permitted""#,
            r#"expect.order[0]: expected "exit:1", got "enter:1""#,
        ],
    );
    assert_eq!(
        found(
            "rate_limiter",
            &json!({"kind": "smooth", "interval_ms": 10}),
            &json!({"at_ms": 0, "op": "acquire", "count": 2, "expect": {"wait_ms": 0}}),
            &json!({}),
        ),
        ["events[0].wait_ms: expected 0, got 10.0"],
    );
}

#[test]
fn wrong_expectations_of_breakers_are_failures() {
    assert_eq!(
        found(
            "breaker",
            &json!({"trip": {"kind": "consecutive", "failures": 2}, "open": {"duration_ms": 10}}),
            &json!({"at_ms": 0, "op": "call", "outcome": "failure", "expect": {
                "permitted": false, "state": "open", "metrics": {"failed": 2, "unknown": 0},
            }}),
            &json!({"state": "open", "transitions": ["closed>open"], "emitted": ["not compared"]}),
        ),
        [
            "events[0].metrics.consecutive_failures: expected 2, got 1",
            "events[0].metrics.unknown: expected 0, got nothing",
            "events[0].permitted: expected false, got true",
            r#"events[0].state: expected "open", got "closed""#,
            r#"expect.state: expected "open", got "closed""#,
            r#"expect.transitions: expected ["closed>open"], got []"#,
        ],
    );
    assert_eq!(
        found(
            "window",
            &json!({"window": {"kind": "count", "size": 2}}),
            &json!({"at_ms": 0, "op": "record", "outcome": "failure", "count": 3, "expect": {
                "stats": {"total": 3, "failed": 2, "raw_failure_rate": 0.5},
            }}),
            &json!({}),
        ),
        [
            "events[0].stats.raw_failure_rate: expected 0.5, got 1.0",
            "events[0].stats.total: expected 3, got 2",
        ],
    );
    assert_eq!(
        found(
            "composition",
            &json!({"pipeline": [
                {"policy": "fallback", "value": 1}, {"policy": "retry", "max_attempts": 2},
            ]}),
            &json!({"outcome": "err", "error": "down", "duration_ms": 5}),
            &json!({"attempts": 1, "elapsed_ms": 5, "result": {"kind": "err", "error": "down"}}),
        ),
        [
            "expect.attempts: expected 1, got 2",
            "expect.elapsed_ms: expected 5, got 10.0",
            r#"expect.result.error: expected "down", got nothing"#,
            r#"expect.result.kind: expected "err", got "ok""#,
        ],
    );
}

/// Returns the differences of a case with one event.
fn found(area: &str, config: &Value, event: &Value, expect: &Value) -> Vec<String> {
    let case = json!({
        "id": "wrong", "area": area, "config": config, "events": [event], "expect": expect,
    });
    match judge(&case) {
        Verdict::Failed(found) => found,
        other => panic!("{area}: {other:?}"),
    }
}
