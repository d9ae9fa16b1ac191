// Settings that could never act, and policies that could never admit a call.

use resilience::{Rejected, bulkhead, circuit_breaker, coalesce, fallback, idempotent, rate_limit, retry, timeout};

#[rate_limit(rate = 10, cost = 5)]
//~ error at `5`: `cost` is above `burst` (1 by default), so no call could start without a wait; raise `burst`, or add a `wait`
async fn cost_above_the_default_burst() -> Result<u32, Rejected> {
    Ok(7)
}

#[rate_limit(rate = 10, burst = 4, cost = 5)]
//~ error at `5`: `cost` is above `burst` (1 by default), so no call could start without a wait; raise `burst`, or add a `wait`
async fn cost_above_burst() -> Result<u32, Rejected> {
    Ok(7)
}

#[rate_limit(rate = 2, burst = 4, cost = 9, wait = "2s")]
//~ error at `9`: `cost` is above `burst`, and `wait` is shorter than the time until so many permits are free, so no call could start; raise `burst` or `wait`
async fn wait_too_short_for_cost() -> Result<u32, Rejected> {
    Ok(7)
}

#[rate_limit(rate = 10, cost = 0)]
//~ error at `0`: a `cost` of 0 takes no permit, so no call would count; write the permits of a call, or remove `cost`
async fn cost_of_zero() -> Result<u32, Rejected> {
    Ok(7)
}

#[timeout("5s")]
#[timeout("10s")]
//~ error at `"10s"`: this `timeout` is not shorter than the `timeout` above, which ends the call first; remove one of them, or lower this limit
async fn inner_timeout_is_longer() -> Result<u32, Rejected> {
    Ok(7)
}

#[timeout("10s")]
#[timeout("5s")]
//~ error at `"5s"`: the `timeout` above is not shorter than this `timeout`, which ends the call first; remove one of them
async fn outer_timeout_is_longer() -> Result<u32, Rejected> {
    Ok(7)
}

#[timeout("5s")]
#[retry]
#[timeout("5s")]
//~ error at `"5s"`: this `timeout` is not shorter than the `timeout` above, which ends the call first; remove one of them, or lower this limit
async fn timeout_of_attempt_is_as_long() -> Result<u32, Rejected> {
    Ok(7)
}

#[circuit_breaker(on_cancel = "failure")]
//~ error at `on_cancel`: `on_cancel = "failure"` needs an `async fn`: a sync call cannot be dropped before its end; remove `on_cancel`
fn sync_call_is_never_cancelled() -> Result<u32, Rejected> {
    Ok(7)
}

#[idempotent(key = 7, scope = "global", on_lease_lost = "cancel")]
//~ error at `on_lease_lost`: `on_lease_lost = "cancel"` needs an `async fn`: a sync body cannot be stopped while it runs; remove `on_lease_lost`
fn sync_body_is_never_stopped() -> std::io::Result<u32> {
    Ok(7)
}

#[idempotent(key = 7, scope = "global", keep = "nothing", max_outcome = 100, version = 2)]
//~ error at `version`: `version` belongs to a stored value, and `keep = "nothing"` stores no value; remove `version`
//~ error at `max_outcome`: `max_outcome` belongs to a stored value, and `keep = "nothing"` stores no value; remove `max_outcome`
fn settings_of_a_value() -> std::io::Result<u32> {
    Ok(7)
}

#[rate_limit(rate = 10, key = "tenant")]
//~ error at `"tenant"`: a text in quotes is one key for all calls; did you mean `key = tenant`?
fn rate_limit_text(tenant: &str) -> Result<usize, Rejected> {
    Ok(tenant.len())
}

#[bulkhead(max = 10, key = "{tenant}")]
//~ error at `"{tenant}"`: a text in quotes is one key for all calls; did you mean `key = tenant`?
fn bulkhead_text(tenant: &str) -> Result<usize, Rejected> {
    Ok(tenant.len())
}

#[coalesce(key = "tenant.id")]
//~ error at `"tenant.id"`: a text in quotes is one key for all calls; did you mean `key = tenant.id`?
fn coalesce_text(tenant: &std::net::SocketAddr) -> Result<u16, Rejected> {
    Ok(tenant.port())
}

#[fallback(stale = "5m", key = "tenant")]
//~ error at `"tenant"`: a text in quotes is one key for all calls; did you mean `key = tenant`?
fn fallback_text(tenant: &str) -> Result<usize, Rejected> {
    Ok(tenant.len())
}

#[idempotent(key = "tenant", scope = "global")]
//~ error at `"tenant"`: a text in quotes is one key for all calls; did you mean `key = tenant`?
fn idempotent_text(tenant: &str) -> std::io::Result<usize> {
    Ok(tenant.len())
}
