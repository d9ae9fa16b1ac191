//! Functions with every attribute that has settings, and with all parts that settings need.

use std::collections::BTreeMap;
use std::time::Duration;

use resilience::{
    Rejected, bulkhead, circuit_breaker, coalesce, fallback, hedge, policies_matching, rate_limit,
    retry, testing, timeout,
};

/// The name of the functions.
pub(crate) const NAME: &str = "every::all";
/// The name of a hedge with a quantile.
const LEARNED: &str = "every::learned";

#[retry(
    attempts = 3,
    base_delay = "1ms",
    deadline = "1m",
    initial_delay = "1ms",
    name = "every::all"
)]
#[circuit_breaker(slow_call = "1s", name = "every::all")]
#[timeout("5s", name = "every::all")]
#[bulkhead(max = 4, name = "every::all")]
#[rate_limit(rate = 1_000_000, per = "1s", name = "every::all")]
async fn call() -> Result<(), Rejected> {
    Err(Rejected::timed_out("body", Duration::ZERO))
}

#[fallback(stale = "10m", key = (), name = "every::all")]
#[coalesce(key = (), name = "every::all")]
#[hedge(after = "50ms", max = 2, idempotent, name = "every::all")]
async fn hedged() -> Result<(), Rejected> {
    Ok(())
}

#[hedge(after = "p95", warm_up = "1s", idempotent, name = "every::learned")]
async fn learned() -> Result<(), Rejected> {
    Ok(())
}

/// Calls the functions, so that their policies are listed.
pub(crate) fn list() {
    let _ = policies_matching(NAME);
    let _waits = testing::no_waits();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        call().await.expect_err("fails");
        hedged().await.expect("works");
        learned().await.expect("works");
    });
}

/// Returns the name of the function that accepts a setting.
pub(crate) fn policy(setting: &str) -> &'static str {
    if setting == "hedge.warm_up" { LEARNED } else { NAME }
}

/// A valid value for each setting, different from the value in the code.
pub(crate) fn valid_values() -> BTreeMap<&'static str, &'static str> {
    [
        ("retry.attempts", "7"),
        ("retry.initial_delay", "2ms"),
        ("retry.base_delay", "5ms"),
        ("retry.max_delay", "2s"),
        ("retry.factor", "3"),
        ("retry.jitter", "none"),
        ("retry.deadline", "30s"),
        ("retry.max_retry_after", "9s"),
        ("retry.enabled", "true"),
        ("circuit_breaker.failure_threshold", "9"),
        ("circuit_breaker.failure_rate", "0.4"),
        ("circuit_breaker.window", "50"),
        ("circuit_breaker.min_calls", "8"),
        ("circuit_breaker.slow_call", "2s"),
        ("circuit_breaker.slow_rate", "0.7"),
        ("circuit_breaker.reset_timeout", "20s"),
        ("circuit_breaker.max_reset_timeout", "5m"),
        ("circuit_breaker.jitter", "0.2"),
        ("circuit_breaker.recovery", "10s"),
        ("circuit_breaker.success_threshold", "2"),
        ("circuit_breaker.half_open_calls", "3"),
        ("circuit_breaker.on_cancel", "failure"),
        ("circuit_breaker.shadow", "true"),
        ("circuit_breaker.enabled", "true"),
        ("timeout.limit", "2s"),
        ("timeout.enabled", "true"),
        ("bulkhead.max", "9"),
        ("bulkhead.queue", "11"),
        ("bulkhead.wait", "3s"),
        ("bulkhead.shadow", "true"),
        ("bulkhead.enabled", "true"),
        ("rate_limit.rate", "50"),
        ("rate_limit.per", "2s"),
        ("rate_limit.burst", "60"),
        ("rate_limit.wait", "1s"),
        ("rate_limit.shadow", "true"),
        ("rate_limit.enabled", "true"),
        ("hedge.after", "80ms"),
        ("hedge.warm_up", "2s"),
        ("hedge.max", "1"),
        ("hedge.enabled", "true"),
        ("coalesce.enabled", "true"),
        ("fallback.stale", "5m"),
    ]
    .into()
}
