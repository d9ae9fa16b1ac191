//! Names of other libraries for the keys of `#[rate_limit]`.

use super::Hint::{self, Other, Same};

const RATE: &str = "calls in each period";
const PER: &str = "the period of the rate";
const COST: &str = "the permits of a call";
const WAIT: &str = "the longest wait of a call";
const SHARED: &str = "the name of the rate in all processes";

pub(super) const HINTS: &[(&str, Hint)] = &[
    ("limit", Same("rate", "100", RATE)),
    ("calls", Same("rate", "100", RATE)),
    ("max_calls", Same("rate", "100", RATE)),
    ("requests", Same("rate", "100", RATE)),
    (
        "permits",
        Other(
            "write `rate = 100` for the calls in each period, `cost = request.tokens` for the permits \
             of a call",
        ),
    ),
    ("permit_limit", Same("rate", "100", RATE)),
    ("tokens_per_period", Same("rate", "100", RATE)),
    ("token_limit", Same("burst", "20", "calls that may start at once")),
    ("replenishment_period", Same("per", "\"1s\"", PER)),
    ("tokens", Same("cost", "request.tokens", COST)),
    ("weight", Same("cost", "request.tokens", COST)),
    ("limit_for_period", Same("rate", "100", RATE)),
    ("max_executions", Same("rate", "100", RATE)),
    ("requests_per_second", Same("rate", "100", RATE)),
    ("per_second", Same("rate", "100", RATE)),
    ("rps", Same("rate", "100", RATE)),
    ("period", Same("per", "\"1s\"", PER)),
    ("interval", Same("per", "\"1s\"", PER)),
    ("window", Same("per", "\"1s\"", PER)),
    ("limit_refresh_period", Same("per", "\"1s\"", PER)),
    ("burst_size", Same("burst", "20", "calls that may start at once")),
    ("bucket", Same("burst", "20", "calls that may start at once")),
    ("capacity", Same("burst", "20", "calls that may start at once")),
    ("max_burst", Same("burst", "20", "calls that may start at once")),
    ("timeout", Same("wait", "\"100ms\"", WAIT)),
    ("timeout_duration", Same("wait", "\"100ms\"", WAIT)),
    ("max_wait", Same("wait", "\"100ms\"", WAIT)),
    ("max_wait_time", Same("wait", "\"100ms\"", WAIT)),
    ("global", Same("shared", "\"partner-api\"", SHARED)),
    ("distributed", Same("shared", "\"partner-api\"", SHARED)),
];
