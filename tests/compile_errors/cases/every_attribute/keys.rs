// Keys that are unknown, repeated or not named.

use resilience::{
    Rejected, bulkhead, circuit_breaker, coalesce, fallback, idempotent, rate_limit, retry, timeout,
};

#[bulkhead(max = 10, max = 20)]
//~ error at `max`: duplicate `max` in `#[bulkhead]`; remove it
fn bulkhead_duplicate_key() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure_threshold = 5, reset_timeout = "1s", failure_threshold = 6)]
//~ error at `failure_threshold`: duplicate `failure_threshold` in `#[circuit_breaker]`; remove it
fn circuit_breaker_duplicate_key() -> Result<(), ()> {
    Err(())
}

#[fallback(value = 7, value = 8)]
//~ error at `value`: duplicate `value` in `#[fallback]`; remove it
fn fallback_duplicate_key() -> Result<u32, ()> {
    Err(())
}

#[idempotent(key = id, scope = "global", ttl = "1h", ttl = "2h")]
//~ error at `ttl`: duplicate `ttl` in `#[idempotent]`; remove it
fn idempotent_duplicate_key(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[rate_limit(rate = 10, per = "1s", rate = 20)]
//~ error at `rate`: duplicate `rate` in `#[rate_limit]`; remove it
fn rate_limit_duplicate_key() -> Result<(), ()> {
    Err(())
}

#[retry(attempts = 4, attempts = 5)]
//~ error at `attempts`: duplicate `attempts` in `#[retry]`; remove it
fn retry_duplicate_key() -> Result<(), ()> {
    Err(())
}

#[timeout("5s", name = "a", name = "b")]
//~ error at `name`: duplicate `name` in `#[timeout]`; remove it
async fn timeout_duplicate_key() -> Result<(), ()> {
    Err(())
}

#[bulkhead(10)]
//~ error at `10`: expected a key, like `max = 10`
fn bulkhead_positional() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(5)]
//~ error at `5`: expected a key, like `failure_threshold = 5`
fn circuit_breaker_positional() -> Result<(), ()> {
    Err(())
}

#[fallback(7)]
//~ error at `7`: expected a key, like `value = …`
fn fallback_positional() -> Result<u32, ()> {
    Err(())
}

#[idempotent(id, scope = "global")]
//~ error at `id`: `#[idempotent]` has no `id`; write `key = request_id` (the key of a repeated call)
fn idempotent_positional(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[rate_limit(100)]
//~ error at `100`: expected a key, like `rate = 100`
fn rate_limit_positional() -> Result<(), ()> {
    Err(())
}

#[retry(3)]
//~ error at `3`: expected a key, like `attempts = 4`
fn retry_positional() -> Result<(), ()> {
    Err(())
}

// All mistakes are reported together.
#[bulkhead(max = 0, queue = "5", wait = 7, kee = id)]
//~ error at `"5"`: a number has no quotes: write `queue = 5`
//~ error at `7`: missing unit: write `"7ms"` or `"7s"`
//~ error at `0`: `max` must be at least 1, or no call could run
//~ error at `kee`: `#[bulkhead]` has no `kee`; did you mean `key`?
fn bulkhead_several_mistakes() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure_rate = 50, reset_timeout = 30, windw = 10, success_threshold = 0)]
//~ error at `30`: missing unit: write `"30ms"` or `"30s"`
//~ error at `50`: `failure_rate` must be a share of the calls, above 0 and at most 1; write `failure_rate = 0.5`
//~ error at `0`: `success_threshold` must be at least 1: the circuit closes on a success
//~ error at `windw`: `#[circuit_breaker]` has no `windw`; did you mean `window`?
fn circuit_breaker_several_mistakes() -> Result<(), ()> {
    Err(())
}

#[fallback(value = 7, with = 5, on = 3, nmae = "a")]
//~ error at `5`: `with` is a function of the error; write `value = 5`
//~ error at `3`: expected a path or a closure, like `on = is_transient` or `on = |error| …`
//~ error at `nmae`: `#[fallback]` has no `nmae`; did you mean `name`?
fn fallback_several_mistakes() -> Result<u32, ()> {
    Err(())
}

#[idempotent(scope = "global", ttl = 1, keep = oks)]
//~ error at `1`: missing unit: write `"1ms"` or `"1s"`
//~ error at `oks`: did you mean `keep = "ok"`?
//~ error at `#[idempotent(scope = "global", ttl = 1, keep = oks)]`: `#[idempotent]` needs the key that identifies a repeated call: `key = request_id`; inside another idempotent call write `step = "…"`
fn idempotent_several_mistakes(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[rate_limit(rate = 0, per = 7, burst = "5", kee = id)]
//~ error at `7`: missing unit: write `"7ms"` or `"7s"`
//~ error at `"5"`: a number has no quotes: write `burst = 5`
//~ error at `0`: `rate` must be at least 1, or no call could run
//~ error at `kee`: `#[rate_limit]` has no `kee`; did you mean `key`?
fn rate_limit_several_mistakes() -> Result<(), ()> {
    Err(())
}

#[retry(atempts = 4, max_delay = 250, jitter = true)]
//~ error at `250`: missing unit: write `"250ms"` or `"250s"`
//~ error at `true`: `jitter` takes no `true` or `false`; write `jitter` alone
//~ error at `atempts`: `#[retry]` has no `atempts`; did you mean `attempts`?
fn retry_several_mistakes() -> Result<(), ()> {
    Err(())
}

#[timeout(5, nam = "a", error = 7)]
//~ error at `5`: missing unit: write `"5ms"` or `"5s"`
//~ error at `7`: expected a path or a closure, like `error = from_rejected` or `error = |rejected| …`
//~ error at `nam`: `#[timeout]` has no `nam`; did you mean `name`?
fn timeout_several_mistakes() -> Result<(), ()> {
    Err(())
}

#[bulkhead(max = 10, que = 20)]
//~ error at `que`: `#[bulkhead]` has no `que`; did you mean `queue`?
fn bulkhead_unknown_key() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure_treshold = 5)]
//~ error at `failure_treshold`: `#[circuit_breaker]` has no `failure_treshold`; did you mean `failure_threshold`?
fn circuit_breaker_unknown_key() -> Result<(), ()> {
    Err(())
}

#[fallback(valu = 7)]
//~ error at `valu`: `#[fallback]` has no `valu`; did you mean `value`?
fn fallback_unknown_key() -> Result<u32, ()> {
    Err(())
}

#[idempotent(key = id, scope = "global", leese = "30s", optional_keys)]
//~ error at `optional_keys`: `#[idempotent]` has no `optional_keys`; did you mean `optional_key`?
//~ error at `leese`: `#[idempotent]` has no `leese`; did you mean `lease`?
fn idempotent_unknown_key(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[rate_limit(rate = 10, bust = 20)]
//~ error at `bust`: `#[rate_limit]` has no `bust`; did you mean `burst`?
fn rate_limit_unknown_key() -> Result<(), ()> {
    Err(())
}

#[retry(atempts = 4)]
//~ error at `atempts`: `#[retry]` has no `atempts`; did you mean `attempts`?
fn retry_unknown_key() -> Result<(), ()> {
    Err(())
}

#[timeout("5s", nam = "fetch")]
//~ error at `nam`: `#[timeout]` has no `nam`; did you mean `name`?
async fn timeout_unknown_key() -> Result<(), ()> {
    Err(())
}

#[bulkhead(max = 10, colour = 5)]
//~ error at `colour`: `#[bulkhead]` has no `colour`; expected one of `max`, `queue`, `wait`, `shadow`, `name`, `error`, `bulkhead`, `key`, `max_keys`, `key_label`, `settings`
fn bulkhead_unknown_key_list() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(colour = 5)]
//~ error at `colour`: `#[circuit_breaker]` has no `colour`; expected one of `failure_threshold`, `failure_rate`, `window`, `min_calls`, `slow_call`, `slow_rate`, `reset_timeout`, `max_reset_timeout`, `jitter`, `recovery`, `shadow`, `max_open`, `success_threshold`, `half_open_calls`, `on_cancel`, `shared`, `on_state_change`, `name`, `on`, `on_ok`, `error`, `breaker`, `key`, `max_keys`, `key_label`, `settings`
fn circuit_breaker_unknown_key_list() -> Result<(), ()> {
    Err(())
}

#[fallback(value = 7, colour = 5)]
//~ error at `colour`: `#[fallback]` has no `colour`; expected one of `name`, `stale`, `key`, `max_keys`, `scope`, `log`, `value`, `with`, `on`, `on_ok`, `aged`, `on_fallback`
fn fallback_unknown_key_list() -> Result<u32, ()> {
    Err(())
}

#[idempotent(key = id, scope = "global", colour = "red")]
//~ error at `colour`: `#[idempotent]` has no `colour`; expected one of `ttl`, `lease`, `max_renewal`, `store_timeout`, `version`, `min_key_length`, `max_outcome`, `concurrent`, `on_store_error`, `on_lease_lost`, `on_unsaved`, `name`, `key`, `scope`, `optional_key`, `step`, `store`, `fingerprint`, `keep`, `on_interrupted`, `on`, `error`, `transaction`, `policy`
fn idempotent_unknown_key_list(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[rate_limit(rate = 10, colour = 5)]
//~ error at `colour`: `#[rate_limit]` has no `colour`; expected one of `rate`, `per`, `burst`, `wait`, `shadow`, `shared`, `name`, `cost`, `settle`, `error`, `limiter`, `key`, `max_keys`, `key_label`, `settings`
fn rate_limit_unknown_key_list() -> Result<(), ()> {
    Err(())
}

#[retry(colour = "red")]
//~ error at `colour`: `#[retry]` has no `colour`; expected one of `attempts`, `backoff`, `initial_delay`, `base_delay`, `max_delay`, `factor`, `jitter`, `deadline`, `idempotent`, `max_retry_after`, `budget`, `on_rejection`, `nested`, `on`, `on_ok`, `exhausted`, `error_sink`, `on_retry`, `on_give_up`, `bind`, `log`, `log_give_up`, `clone`, `carry`, `name`, `policy`
fn retry_unknown_key_list() -> Result<(), ()> {
    Err(())
}

#[timeout("5s", colour = 5)]
//~ error at `colour`: `#[timeout]` has no `colour`; expected one of `name`, `error`
async fn timeout_unknown_key_list() -> Result<(), ()> {
    Err(())
}

#[coalesce(key = id, key = id)]
//~ error at `key`: duplicate `key` in `#[coalesce]`; remove it
fn coalesce_duplicate_key(id: u32) -> Option<u32> {
    Some(id)
}

#[coalesce(id)]
//~ error at `id`: `#[coalesce]` has no `id`; write `key = id` (equal keys share one execution)
fn coalesce_positional(id: u32) -> Option<u32> {
    Some(id)
}

#[coalesce(keey = id)]
//~ error at `keey`: `#[coalesce]` has no `keey`; did you mean `key`?
fn coalesce_unknown_key(id: u32) -> Option<u32> {
    Some(id)
}

#[coalesce(key = id, colour = 5)]
//~ error at `colour`: `#[coalesce]` has no `colour`; expected one of `name`, `key`, `scope`, `coalescer`, `error`
fn coalesce_unknown_key_list(id: u32) -> Option<u32> {
    Some(id)
}

mod hedge_keys {
    use resilience::hedge;

    #[hedge(after = "50ms", idempotent, after = "90ms")]
    //~ error at `after`: duplicate `after` in `#[hedge]`; remove it
    async fn duplicate_key() -> Result<(), ()> {
        Err(())
    }

    #[hedge("50ms", idempotent)]
    //~ error at `"50ms"`: expected a key, like `after = "50ms"`
    async fn positional() -> Result<(), ()> {
        Err(())
    }

    #[hedge(after = 5, mx = 2, on = 7, idempotent)]
    //~ error at `5`: missing unit: write `"5ms"` or `"5s"`
    //~ error at `7`: expected a path or a closure, like `on = is_transient` or `on = |error| …`
    //~ error at `mx`: `#[hedge]` has no `mx`; did you mean `max`?
    async fn several_mistakes() -> Result<(), ()> {
        Err(())
    }
}
