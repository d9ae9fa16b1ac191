//! Names of other libraries for the keys of `#[circuit_breaker]`.

use super::Hint::{self, Other, Same, Share};

const FAILURES: &str = "the failures in a row that open the circuit";
const OPEN: &str = "the time for which the circuit stays open";
const RATE: &str = "a share of the calls, above 0 and at most 1";
const WINDOW: &str = "a number of calls, or a time like `\"10s\"`";
const MINIMUM: &str = "the calls in the window from which a rate counts";
const VALUES: &str = "the values that count as failures";
const TRIAL_CALLS: &str = "the trial calls of a half-open circuit";
const CANCELLED: &str = "the meaning of a call that is dropped before its end";
const FLEET: &str = "the name of the breaker in all processes";

const DECLINES: &str =
    "write `on = |error| !matches!(error, …)`; an error that `on` declines counts as a success";
const RECOVERY: &str = "the time in which the share of admitted calls grows after closing";
const EJECTED: &str = "the share of keys that may be open at once";
const SHADOW: &str = "the breaker decides, counts and logs, but rejects no call";
const JITTER: &str = "the share that jitter adds to the open time";

pub(super) const HINTS: &[(&str, Hint)] = &[
    ("fail_max", Same("failure_threshold", "5", FAILURES)),
    ("max_failures", Same("failure_threshold", "5", FAILURES)),
    ("failures", Same("failure_threshold", "5", FAILURES)),
    ("threshold", Same("failure_threshold", "5", FAILURES)),
    ("consecutive", Same("failure_threshold", "5", FAILURES)),
    ("consecutive_failures", Same("failure_threshold", "5", FAILURES)),
    ("error_threshold", Same("failure_threshold", "5", FAILURES)),
    ("attempts", Same("failure_threshold", "5", FAILURES)),
    ("recovery_timeout", Same("reset_timeout", "\"30s\"", OPEN)),
    ("timeout_duration", Same("reset_timeout", "\"30s\"", OPEN)),
    ("timeout", Same("reset_timeout", "\"30s\"", OPEN)),
    ("break_duration", Same("reset_timeout", "\"30s\"", OPEN)),
    ("open_duration", Same("reset_timeout", "\"30s\"", OPEN)),
    ("wait_duration_in_open_state", Same("reset_timeout", "\"30s\"", OPEN)),
    ("wait_duration_in_open", Same("reset_timeout", "\"30s\"", OPEN)),
    ("cooldown", Same("reset_timeout", "\"30s\"", OPEN)),
    ("delay", Same("reset_timeout", "\"30s\"", OPEN)),
    ("failure_rate_threshold", Share("failure_rate", "0.5", RATE)),
    ("failure_ratio", Share("failure_rate", "0.5", RATE)),
    ("error_rate", Share("failure_rate", "0.5", RATE)),
    ("error_threshold_percentage", Share("failure_rate", "0.5", RATE)),
    ("slow_call_rate_threshold", Share("slow_rate", "0.8", RATE)),
    ("slow_call_rate", Share("slow_rate", "0.8", RATE)),
    ("slow_call_duration_threshold", Same("slow_call", "\"2s\"", "longer calls are slow")),
    ("slow_call_duration", Same("slow_call", "\"2s\"", "longer calls are slow")),
    ("sliding_window_size", Same("window", "100", WINDOW)),
    ("sliding_window", Same("window", "100", WINDOW)),
    ("sampling_duration", Same("window", "\"10s\"", WINDOW)),
    ("rolling_count_timeout", Same("window", "\"10s\"", WINDOW)),
    ("interval", Same("window", "\"10s\"", WINDOW)),
    ("minimum_number_of_calls", Same("min_calls", "20", MINIMUM)),
    ("minimum_throughput", Same("min_calls", "20", MINIMUM)),
    ("min_throughput", Same("min_calls", "20", MINIMUM)),
    ("minimum_calls", Same("min_calls", "20", MINIMUM)),
    ("request_volume_threshold", Same("min_calls", "20", MINIMUM)),
    ("volume_threshold", Same("min_calls", "20", MINIMUM)),
    ("permitted_number_of_calls_in_half_open_state", Same("half_open_calls", "3", TRIAL_CALLS)),
    ("half_open_max_calls", Same("half_open_calls", "3", TRIAL_CALLS)),
    ("max_half_open_calls", Same("half_open_calls", "3", TRIAL_CALLS)),
    ("half_open_max_requests", Same("half_open_calls", "3", TRIAL_CALLS)),
    ("max_requests", Same("half_open_calls", "3", TRIAL_CALLS)),
    ("exclude", Other(DECLINES)),
    (
        "ignore",
        Other(
            "write `on = |error| …` with the class `FailureClass::permanent().neutral()` for these errors",
        ),
    ),
    ("max_ejection_percent", Share("max_open", "0.3", EJECTED)),
    ("max_ejected", Share("max_open", "0.3", EJECTED)),
    ("ramp", Same("recovery", "\"30s\"", RECOVERY)),
    ("ramp_up", Same("recovery", "\"30s\"", RECOVERY)),
    ("slow_start", Same("recovery", "\"30s\"", RECOVERY)),
    ("dry_run", Same("shadow", "true", SHADOW)),
    ("metrics_only", Same("shadow", "true", SHADOW)),
    ("wait_jitter", Share("jitter", "0.1", JITTER)),
    ("randomized_wait_factor", Share("jitter", "0.1", JITTER)),
    ("expected_exception", Other("write `on = |error| matches!(error, …)`")),
    ("record_exceptions", Other("write `on = |error| matches!(error, …)`")),
    ("record_failure_predicate", Same("on", "is_failure", "the errors that count as failures")),
    ("should_handle", Same("on", "is_failure", "the errors that count as failures")),
    ("ignore_exceptions", Other(DECLINES)),
    (
        "sliding_window_type",
        Other("remove it: `window = 100` is a number of calls, `window = \"10s\"` a time"),
    ),
    ("exceptions", Other("write `on = |error| matches!(error, …)`")),
    ("record", Same("on", "is_failure", "the errors that count as failures")),
    ("is_failure", Same("on", "is_failure", "the errors that count as failures")),
    ("when", Same("on", "is_failure", "the errors that count as failures")),
    ("record_result", Same("on_ok", "is_busy", VALUES)),
    ("record_result_predicate", Same("on_ok", "is_busy", VALUES)),
    ("failure_if_result", Same("on_ok", "is_busy", VALUES)),
    ("handle_result", Same("on_ok", "is_busy", VALUES)),
    ("fallback", Other("put `#[fallback(value = …)]` above it")),
    ("listeners", Same("on_state_change", "|change| …", "called after each change of state")),
    ("on_open", Same("on_state_change", "|change| …", "called after each change of state")),
    ("on_close", Same("on_state_change", "|change| …", "called after each change of state")),
    ("state_change", Same("on_state_change", "|change| …", "called after each change of state")),
    ("distributed", Same("shared", "\"payments\"", FLEET)),
    ("share", Same("shared", "\"payments\"", FLEET)),
    ("fleet", Same("shared", "\"payments\"", FLEET)),
    ("group", Same("shared", "\"payments\"", FLEET)),
    ("redis", Same("shared", "\"payments\"", FLEET)),
    ("cancelled", Same("on_cancel", "\"failure\"", CANCELLED)),
    ("on_drop", Same("on_cancel", "\"failure\"", CANCELLED)),
    ("on_cancelled", Same("on_cancel", "\"failure\"", CANCELLED)),
    ("instance", Other("write `breaker = self.breaker`, or `breaker = &SHARED`")),
];
