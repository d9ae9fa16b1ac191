// Attributes that could never do anything.

use std::time::Duration;

use resilience::{Rejected, rate_limit, retry, timeout};

struct Unclassified;

impl From<Rejected> for Unclassified {
    fn from(_: Rejected) -> Self {
        Self
    }
}

#[retry(attempts = 1)]
//~ error at `1`: `attempts = 1` makes one call and no retry; write the number of calls, the first included, such as `attempts = 3`, or remove `#[retry]`
fn one_attempt() -> Result<(), Unclassified> {
    Ok(())
}

#[retry(idempotent = false)]
//~ error at `idempotent`: `idempotent = false` retries no failure here, because `Unclassified` does not say whether the failed call was applied
//~ label: needs `Classify`, or `on = …`
//~ rustc: help: the trait `resilience_core::classify::StatesEffect` is not implemented for `Unclassified`
//~ note: if `Unclassified` is a type of your crate, add `#[derive(resilience::Classify)]`, with `effect = "not_sent"` or `effect = "refused"` on the failures that are safe to retry
//~ note: if `Unclassified` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| FailureClass::transient().effect(…)`; if every failure is safe to retry, remove `idempotent = false`
fn not_idempotent() -> Result<(), Unclassified> {
    Ok(())
}

#[retry(idempotent = false)]
//~ error at `idempotent`: `idempotent = false` retries no failure here, because `http::Error` does not say whether the failed call was applied
//~ label: needs `Classify`, or `on = …`
//~ rustc: help: the trait `resilience_core::classify::StatesEffect` is not implemented for `http::Error`
//~ note: if `http::Error` is a type of your crate, add `#[derive(resilience::Classify)]`, with `effect = "not_sent"` or `effect = "refused"` on the failures that are safe to retry
//~ note: if `http::Error` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| FailureClass::transient().effect(…)`; if every failure is safe to retry, remove `idempotent = false`
async fn not_idempotent_async() -> Result<(), http::Error> {
    Ok(())
}

#[retry(idempotent = false, on = |_| true)]
//~ error at `|`: `idempotent = false` retries nothing with a predicate that returns `bool`, because `bool` does not say whether the failed call was applied
//~ label: needs to return a `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::EffectOfPredicate` is not implemented for `bool`
//~ note: return a class with an effect, such as `FailureClass::transient().effect(Effect::NotSent)`; if every failure is safe to retry, remove `idempotent = false`
fn not_idempotent_by_bool() -> Result<(), Unclassified> {
    Ok(())
}

#[retry(idempotent = false, on = is_transient)]
//~ error at `is_transient`: `idempotent = false` retries nothing with a predicate that returns `bool`, because `bool` does not say whether the failed call was applied
//~ label: needs to return a `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::EffectOfPredicate` is not implemented for `bool`
//~ note: return a class with an effect, such as `FailureClass::transient().effect(Effect::NotSent)`; if every failure is safe to retry, remove `idempotent = false`
async fn not_idempotent_by_path() -> Result<(), Unclassified> {
    Ok(())
}

#[retry(idempotent = false, on_ok = |value| *value > 7)]
//~ error at `|`: `idempotent = false` retries nothing with a predicate that returns `bool`, because `bool` does not say whether the failed call was applied
//~ label: needs to return a `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::EffectOfPredicate` is not implemented for `bool`
//~ note: return a class with an effect, such as `FailureClass::transient().effect(Effect::NotSent)`; if every failure is safe to retry, remove `idempotent = false`
fn not_idempotent_value() -> Option<u32> {
    Some(7)
}

#[timeout("1s")]
#[retry(attempts = 5, base_delay = "5s", jitter = "none")]
//~ error at `"5s"`: the first `delay` (5s) is not shorter than the `timeout` (1s) above, so no retry could start; raise the timeout, lower the delay, or write `#[timeout]` below `#[retry]` to limit each attempt
async fn timeout_before_the_first_delay() -> Result<(), Unclassified> {
    Ok(())
}

#[timeout("1s")]
#[retry(base_delay = "2s", jitter = "equal")]
//~ error at `"2s"`: the first `delay` (1s) is not shorter than the `timeout` (1s) above, so no retry could start; raise the timeout, lower the delay, or write `#[timeout]` below `#[retry]` to limit each attempt
async fn timeout_before_half_of_the_delay() -> Result<(), Unclassified> {
    Ok(())
}

#[timeout("1s")]
#[retry(backoff = ["1s", "2s"])]
//~ error at `"1s"`: the first `delay` (1s) is not shorter than the `timeout` (1s) above, so no retry could start; raise the timeout, lower the delay, or write `#[timeout]` below `#[retry]` to limit each attempt
async fn timeout_before_the_first_of_a_list() -> Result<(), Unclassified> {
    Ok(())
}

#[timeout("50ms")]
#[retry(backoff = "fixed")]
//~ error at `retry`: the first `delay` (100ms) is not shorter than the `timeout` (50ms) above, so no retry could start; raise the timeout, lower the delay, or write `#[timeout]` below `#[retry]` to limit each attempt
async fn timeout_before_the_default_delay() -> Result<(), Unclassified> {
    Ok(())
}

#[timeout("30s")]
#[rate_limit(rate = 1, wait = "20s")]
#[timeout("1s")]
#[retry(initial_delay = "1s")]
//~ error at `"1s"`: `initial_delay` (1s) is not shorter than the `timeout` (1s) above, so no attempt could start; raise the timeout, lower the delay, or write `#[timeout]` below `#[retry]` to limit each attempt
async fn timeout_before_the_initial_delay() -> Result<(), Unclassified> {
    Ok(())
}

#[retry(initial_delay = "10s", deadline = "10s")]
//~ error at `"10s"`: `initial_delay` (10s) is not shorter than `deadline` (10s), so no attempt could start; raise `deadline` or lower `initial_delay`
fn deadline_before_the_initial_delay() -> Result<(), Unclassified> {
    Ok(())
}

#[retry(initial_delay = INITIAL, deadline = "10s")]
//~ error at `INITIAL`: `initial_delay` is not shorter than `deadline`, so no attempt could start; raise `deadline` or lower `initial_delay`
fn deadline_before_the_initial_delay_of_a_constant() -> Result<(), Unclassified> {
    Ok(())
}

#[timeout("10s")]
#[retry(initial_delay = INITIAL)]
//~ error at `INITIAL`: `initial_delay` is not shorter than the `timeout` above, so no attempt could start; raise the timeout, lower the delay, or write `#[timeout]` below `#[retry]` to limit each attempt
async fn timeout_before_the_initial_delay_of_a_constant() -> Result<(), Unclassified> {
    Ok(())
}

#[timeout("10s")]
#[retry(base_delay = INITIAL, backoff = "fixed")]
//~ error at `INITIAL`: the first `delay` is not shorter than the `timeout` above, so no retry could start; raise the timeout, lower the delay, or write `#[timeout]` below `#[retry]` to limit each attempt
async fn timeout_before_a_constant_delay() -> Result<(), Unclassified> {
    Ok(())
}

const INITIAL: Duration = Duration::from_secs(10);

fn is_transient(_: &Unclassified) -> bool {
    true
}

fn main() {}
