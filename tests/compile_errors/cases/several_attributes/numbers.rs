// Numbers in another form than the form of the key.

use resilience::{circuit_breaker, hedge, rate_limit, retry};

#[circuit_breaker(failure_threshold = 5u64)]
//~ error at `5u64`: `failure_threshold` is a `u32`: write `failure_threshold = 5`
async fn suffix() -> Option<()> {
    None
}

#[retry(attempts = -1)]
//~ error at `-1`: `attempts` cannot be negative; for no limit write `attempts = "unlimited"`
async fn negative() -> Option<()> {
    None
}

#[retry(attempts = 3.0)]
//~ error at `3.0`: `attempts` is a whole number: write `attempts = 3`
async fn whole_float() -> Option<()> {
    None
}

#[retry(attempts = 3.5)]
//~ error at `3.5`: expected a whole number, like `attempts = 4`
async fn fraction() -> Option<()> {
    None
}

#[retry(factor = "2")]
//~ error at `"2"`: a number has no quotes: write `factor = 2`
async fn factor_in_quotes() -> Option<()> {
    None
}

#[retry(factor = -2)]
//~ error at `-2`: `factor` must be a finite number of at least 1: delays cannot shrink
async fn negative_factor() -> Option<()> {
    None
}

#[circuit_breaker(failure_rate = "50%")]
//~ error at `"50%"`: a number has no quotes: write `failure_rate = 0.5`
async fn percentage() -> Option<()> {
    None
}

#[circuit_breaker(window = 5u64, failure_rate = 0.5)]
//~ error at `5u64`: `window` is a `u32`: write `window = 5`
async fn window_with_suffix() -> Option<()> {
    None
}

#[circuit_breaker(window = 5.0, failure_rate = 0.5)]
//~ error at `5.0`: `window` is a whole number: write `window = 5`
async fn window_as_float() -> Option<()> {
    None
}

#[circuit_breaker(window = -5, failure_rate = 0.5)]
//~ error at `-5`: `window` cannot be negative; write a whole number, like `window = 4`
async fn negative_window() -> Option<()> {
    None
}

#[rate_limit(rate = 5u64)]
//~ error at `5u64`: `rate` is a `u32`: write `rate = 5`
async fn rate_with_suffix() -> Option<()> {
    None
}

#[rate_limit(rate = 5, cost = 5u64)]
//~ error at `5u64`: `cost` is a `u32`: write `cost = 5`
async fn cost_with_suffix() -> Option<()> {
    None
}

#[rate_limit(rate = 5, cost = -5)]
//~ error at `-5`: `cost` cannot be negative; write a whole number, like `cost = 4`
async fn negative_cost() -> Option<()> {
    None
}

#[rate_limit(rate = -5)]
//~ error at `-5`: `rate` cannot be negative; write a whole number, like `rate = 4`
async fn negative_rate() -> Option<()> {
    None
}

#[hedge(after = "50ms", max = 2u8, idempotent)]
//~ error at `2u8`: `max` is a `u32`: write `max = 2`
async fn hedges_with_suffix() -> Option<()> {
    None
}

#[retry(jitter = -0.5)]
//~ error at `-0.5`: a jitter ratio must be between 0 and 1
async fn negative_jitter() -> Option<()> {
    None
}

#[retry(budget = -0.2)]
//~ error at `-0.2`: `budget` must be a share of the calls, above 0 and at most 1; `budget = 0.2` allows one retry for five calls
async fn negative_budget() -> Option<()> {
    None
}

#[retry(budget = "20%")]
//~ error at `"20%"`: `budget` must be a share of the calls, above 0 and at most 1; `budget = 0.2` allows one retry for five calls; write `budget = 0.2`
async fn budget_in_percent() -> Option<()> {
    None
}

#[retry(jitter = "0.5")]
//~ error at `"0.5"`: a number has no quotes: write `jitter = 0.5`
async fn jitter_in_quotes() -> Option<()> {
    None
}

#[rate_limit(rate = 100.0)]
//~ error at `100.0`: `rate` is a whole number: write `rate = 100`
async fn whole_rate() -> Option<()> {
    None
}

#[rate_limit(rate = "5/min")]
//~ error at `"5/min"`: write `rate = 5, per = "1m"`
async fn rate_with_a_period() -> Option<()> {
    None
}

#[rate_limit(rate = "5 per 2 seconds")]
//~ error at `"5 per 2 seconds"`: write `rate = 5, per = "2s"`
async fn rate_in_words() -> Option<()> {
    None
}
