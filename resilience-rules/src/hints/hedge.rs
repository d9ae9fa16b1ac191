//! Names of other libraries for the keys of `#[hedge]`.

use super::Hint::{self, Fewer, Other, Same, Share};

const HEDGES: &str = "attempts beside the first";
const DELAY: &str = "the time before a second attempt";

pub(super) const HINTS: &[(&str, Hint)] = &[
    ("delay", Same("after", "\"50ms\"", DELAY)),
    ("hedging_delay", Same("after", "\"50ms\"", DELAY)),
    ("hedge_after", Same("after", "\"50ms\"", DELAY)),
    ("hedge_delay", Same("after", "\"50ms\"", DELAY)),
    ("wait_duration", Same("after", "\"50ms\"", DELAY)),
    ("timeout", Same("after", "\"50ms\"", DELAY)),
    ("percentile", Other("write `after = \"p95\"`")),
    ("quantile", Other("write `after = \"p95\"`")),
    ("delay_quantile", Other("write `after = \"p95\"`")),
    ("max_attempts", Fewer("max", HEDGES)),
    ("attempts", Fewer("max", HEDGES)),
    ("max_hedges", Same("max", "1", HEDGES)),
    ("max_hedged_attempts", Same("max", "1", HEDGES)),
    ("initial_delay", Same("warm_up", "\"100ms\"", "the delay until a quantile is learned")),
    ("min_delay", Other("remove it: a learned delay is at least 1 ms")),
    ("budget_percent", Share("budget", "0.1", "hedges per call")),
    ("max_extra_load", Share("budget", "0.1", "hedges per call")),
    ("hedging_budget", Share("budget", "0.1", "hedges per call")),
    ("should_handle", Same("on", "is_transient", "the errors that start a hedge")),
    ("non_fatal_status_codes", Same("on", "is_transient", "the errors that start a hedge")),
    ("cancel_if", Same("on_ok", "is_busy", "the values that are failures")),
    ("delay_generator", Other("write `after = \"p95\"` for a delay that follows the latencies")),
    ("on_hedging", Same("on_hedge", "count", "called before each hedge")),
    ("carry", Other("write `clone(…)`: attempts that run at once cannot share a `mut` argument")),
];
