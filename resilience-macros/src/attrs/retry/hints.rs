//! Foreign names for the keys of `#[retry]`.

use crate::hint::Hint::{self, More, Other, Same};

const TOTAL: &str = "total calls, the first included";

const STATUS: &str = "write `on_ok = classify_response` of `resilience::http`, or `on_ok = |response| response.status() == 503`";

pub(super) const HINTS: &[(&str, Hint)] = &[
    ("retries", More("attempts", TOTAL)),
    ("max_retries", More("attempts", TOTAL)),
    ("max_times", More("attempts", TOTAL)),
    ("retry_count", More("attempts", TOTAL)),
    ("max_attempts", Same("attempts", "4", TOTAL)),
    ("max_tries", Same("attempts", "4", TOTAL)),
    ("tries", Same("attempts", "4", TOTAL)),
    ("times", Same("attempts", "4", TOTAL)),
    ("stop_max_attempt_number", Same("attempts", "4", TOTAL)),
    ("stop", Other("write `attempts = 4`, `deadline = \"30s\"`, or both")),
    ("delay", Same("base_delay", "\"100ms\"", "the first delay")),
    ("interval", Same("base_delay", "\"100ms\"", "the first delay")),
    ("initial_interval", Same("base_delay", "\"100ms\"", "the first delay")),
    ("initial_backoff", Same("base_delay", "\"100ms\"", "the first delay")),
    ("wait_duration", Same("base_delay", "\"100ms\"", "the first delay")),
    ("min_delay", Same("base_delay", "\"100ms\"", "the first delay")),
    ("min", Same("base_delay", "\"100ms\"", "the first delay")),
    ("wait", Other("write `backoff = \"exponential\", base_delay = \"100ms\"`")),
    ("wait_fixed", Other("write `backoff = \"fixed\", base_delay = \"100ms\"`")),
    ("max", Same("max_delay", "\"10s\"", "the ceiling")),
    ("max_interval", Same("max_delay", "\"10s\"", "the ceiling")),
    ("max_backoff", Same("max_delay", "\"10s\"", "the ceiling")),
    ("max_wait", Same("max_delay", "\"10s\"", "the ceiling")),
    ("cap", Same("max_delay", "\"10s\"", "the ceiling")),
    ("multiplier", Same("factor", "2", "the growth of each delay")),
    ("exp_base", Same("factor", "2", "the growth of each delay")),
    ("exponential_base", Same("factor", "2", "the growth of each delay")),
    ("exponent", Same("factor", "2", "the growth of each delay")),
    ("strategy", Other("write `backoff = \"exponential\"`")),
    (
        "wait_jitter",
        Other("write `jitter = \"full\"`, or `jitter = \"1s\"` for up to a second of extra delay"),
    ),
    ("randomization_factor", Same("jitter", "0.5", "the largest share of extra delay")),
    ("timeout", Same("deadline", "\"30s\"", "the time for the whole call")),
    ("total_timeout", Same("deadline", "\"30s\"", "the time for the whole call")),
    ("max_time", Same("deadline", "\"30s\"", "the time for the whole call")),
    ("max_elapsed_time", Same("deadline", "\"30s\"", "the time for the whole call")),
    ("max_duration", Same("deadline", "\"30s\"", "the time for the whole call")),
    ("total_delay", Same("deadline", "\"30s\"", "the time for the whole call")),
    ("when", Same("on", "is_transient", "the errors to retry")),
    ("retry_if", Same("on", "is_transient", "the errors to retry")),
    ("retry_on", Same("on", "is_transient", "the errors to retry")),
    ("condition", Same("on", "is_transient", "the errors to retry")),
    ("predicate", Same("on", "is_transient", "the errors to retry")),
    ("on_error", Same("on", "is_transient", "the errors to retry")),
    ("status", Other(STATUS)),
    ("statuses", Other(STATUS)),
    ("status_codes", Other(STATUS)),
    ("status_forcelist", Other(STATUS)),
    (
        "key",
        Other(
            "the body sends the key of a request, and each attempt sends the same: remove `key`; for \
             records of executed calls add `#[idempotent(key = …)]` above",
        ),
    ),
    ("exceptions", Other("write `on = |error| matches!(error, …)`")),
    ("retry_exceptions", Other("write `on = |error| matches!(error, …)`")),
    ("giveup", Other("write `on = |error| !is_fatal(error)`")),
    ("retry_if_result", Same("on_ok", "is_pending", "the values that mean \"not yet\"")),
    ("retry_on_result", Same("on_ok", "is_pending", "the values that mean \"not yet\"")),
    ("notify", Same("on_retry", "|event| …", "called before each delay")),
    ("before_sleep", Same("on_retry", "|event| …", "called before each delay")),
    ("on_backoff", Same("on_retry", "|event| …", "called before each delay")),
    ("on_giveup", Same("on_give_up", "|event| …", "called before a failure is returned")),
    (
        "retry_after",
        Other(
            "the delay comes from the error: write `on = |error| FailureClass::throttled(error.retry_after())`",
        ),
    ),
    ("reraise", Other("remove it: the last error is always returned unchanged")),
];
