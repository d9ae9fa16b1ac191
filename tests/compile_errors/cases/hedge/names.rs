// Names of other libraries: failsafe-go, Polly, gRPC, Finagle, bhope/hedge.

use resilience::hedge;

#[hedge(after = "50ms", idempotent, delay = "20ms")]
//~ error at `delay`: `#[hedge]` has no `delay`; write `after = "20ms"` (the time before a second attempt)
async fn delay_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, hedging_delay = "20ms")]
//~ error at `hedging_delay`: `#[hedge]` has no `hedging_delay`; write `after = "20ms"` (the time before a second attempt)
async fn hedging_delay_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, hedge_after = "20ms")]
//~ error at `hedge_after`: `#[hedge]` has no `hedge_after`; write `after = "20ms"` (the time before a second attempt)
async fn hedge_after_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, hedge_delay = "20ms")]
//~ error at `hedge_delay`: `#[hedge]` has no `hedge_delay`; write `after = "20ms"` (the time before a second attempt)
async fn hedge_delay_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, wait_duration = "20ms")]
//~ error at `wait_duration`: `#[hedge]` has no `wait_duration`; write `after = "20ms"` (the time before a second attempt)
async fn wait_duration_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, timeout = "20ms")]
//~ error at `timeout`: `#[hedge]` has no `timeout`; write `after = "20ms"` (the time before a second attempt)
async fn timeout_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, percentile = 0.95)]
//~ error at `percentile`: `#[hedge]` has no `percentile`; write `after = "p95"`
async fn percentile_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, quantile = 0.95)]
//~ error at `quantile`: `#[hedge]` has no `quantile`; write `after = "p95"`
async fn quantile_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, delay_quantile = 0.95)]
//~ error at `delay_quantile`: `#[hedge]` has no `delay_quantile`; write `after = "p95"`
async fn delay_quantile_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, max_attempts = 4)]
//~ error at `max_attempts`: `#[hedge]` has no `max_attempts`; write `max = 3` (attempts beside the first)
async fn max_attempts_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, attempts = 4)]
//~ error at `attempts`: `#[hedge]` has no `attempts`; write `max = 3` (attempts beside the first)
async fn attempts_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, max_hedges = 2)]
//~ error at `max_hedges`: `#[hedge]` has no `max_hedges`; write `max = 2` (attempts beside the first)
async fn max_hedges_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, max_hedged_attempts = 2)]
//~ error at `max_hedged_attempts`: `#[hedge]` has no `max_hedged_attempts`; write `max = 2` (attempts beside the first)
async fn max_hedged_attempts_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, initial_delay = "20ms")]
//~ error at `initial_delay`: `#[hedge]` has no `initial_delay`; write `warm_up = "20ms"` (the delay until a quantile is learned)
async fn initial_delay_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, min_delay = "1ms")]
//~ error at `min_delay`: `#[hedge]` has no `min_delay`; remove it: a learned delay is at least 1 ms
async fn min_delay_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, budget_percent = 10)]
//~ error at `budget_percent`: `#[hedge]` has no `budget_percent`; write `budget = 0.1` (hedges per call)
async fn budget_percent_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, max_extra_load = 0.2)]
//~ error at `max_extra_load`: `#[hedge]` has no `max_extra_load`; write `budget = 0.2` (hedges per call)
async fn max_extra_load_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, hedging_budget = 0.2)]
//~ error at `hedging_budget`: `#[hedge]` has no `hedging_budget`; write `budget = 0.2` (hedges per call)
async fn hedging_budget_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, should_handle = f)]
//~ error at `should_handle`: `#[hedge]` has no `should_handle`; write `on = f` (the errors that start a hedge)
async fn should_handle_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, non_fatal_status_codes = f)]
//~ error at `non_fatal_status_codes`: `#[hedge]` has no `non_fatal_status_codes`; write `on = f` (the errors that start a hedge)
async fn non_fatal_status_codes_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, cancel_if = f)]
//~ error at `cancel_if`: `#[hedge]` has no `cancel_if`; write `on_ok = f` (the values that are failures)
async fn cancel_if_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, delay_generator = f)]
//~ error at `delay_generator`: `#[hedge]` has no `delay_generator`; write `after = "p95"` for a delay that follows the latencies
async fn delay_generator_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, on_hedging = f)]
//~ error at `on_hedging`: `#[hedge]` has no `on_hedging`; write `on_hedge = f` (called before each hedge)
async fn on_hedging_() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, carry(list))]
//~ error at `carry`: `#[hedge]` has no `carry`; write `clone(…)`: attempts that run at once cannot share a `mut` argument
async fn carry_(list: Vec<u32>) -> Option<()> {
    None
}
