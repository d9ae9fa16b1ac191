// Literals that break a rule, alone or together with another key.

use resilience::{Rejected, idempotent};

// The default of `ttl` is shorter.
#[idempotent(key = id, scope = "global", lease = "2d")]
//~ error at `"2d"`: `lease` (48h) is not shorter than `ttl` (default 24h), so the record of a running call could expire; raise `ttl` or lower `lease`
fn lease_above_default_ttl(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", ttl = "10s", lease = "10s")]
//~ error at `"10s"`: `lease` (10s) is not shorter than `ttl` (10s), so the record of a running call could expire; raise `ttl` or lower `lease`
fn lease_above_ttl(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

mod policy_and_keys {
    use resilience::{Rejected, idempotent};
    use resilience::idempotent::IdempotencyPolicy;

    static CHARGE: IdempotencyPolicy = IdempotencyPolicy::new("charge");

    #[idempotent(key = id, scope = "global", policy = CHARGE, ttl = "1h", concurrent = "reject", on_interrupted = "unknown", name = "x")]
    //~ error at `ttl`: `ttl` and `policy` exclude each other: a policy made by hand has its own settings; remove `ttl`, or set it on the policy
    //~ error at `concurrent`: `concurrent` and `policy` exclude each other: a policy made by hand has its own settings; remove `concurrent`, or set it on the policy
    //~ error at `name`: `name` and `policy` exclude each other: a policy made by hand has its own settings; remove `name`, or set it on the policy
    //~ error at `on_interrupted`: `on_interrupted` and `policy` exclude each other: a policy made by hand has its own settings; remove `on_interrupted`, or set it on the policy
    fn call(id: &str) -> Result<(), Rejected> {
        Ok(drop(id))
    }
}

#[idempotent(step = "charge", key = id, scope = "global", optional_key)]
//~ error at `key`: `key` and `step` exclude each other: a step has the key of the call around it; remove `key`
//~ error at `scope`: `scope` and `step` exclude each other: a step has the key of the call around it; remove `scope`
//~ error at `optional_key`: `optional_key` and `step` exclude each other: a step has the key of the call around it; remove `optional_key`
fn step_and_key(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

// The default of `lease` is longer.
#[idempotent(key = id, scope = "global", ttl = "30s")]
//~ error at `"30s"`: `lease` (default 30s) is not shorter than `ttl` (30s), so the record of a running call could expire; raise `ttl` or lower `lease`
fn ttl_below_default_lease(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", lease = "0ms")]
//~ error at `"0ms"`: `lease` is zero, so every call would count as dead; write a longer time, like `"30s"`
fn zero_lease(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", lease = "30s", max_renewal = "10s")]
//~ error at `"10s"`: `lease` (30s) is longer than `max_renewal` (10s), so the lease could not end on time; raise `max_renewal` or lower `lease`
fn max_renewal_below_lease(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", max_renewal = "10s")]
//~ error at `"10s"`: `lease` (default 30s) is longer than `max_renewal` (10s), so the lease could not end on time; raise `max_renewal` or lower `lease`
fn max_renewal_below_default_lease(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", max_renewal = "0s")]
//~ error at `"0s"`: `max_renewal` is zero, so every call would count as dead; write a longer time, like `"10m"`
fn zero_max_renewal(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", store_timeout = "0s")]
//~ error at `"0s"`: `store_timeout` is zero, so the store could never answer; write a longer time, like `"500ms"`
fn zero_store_timeout(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", ttl = "0s")]
//~ error at `"0s"`: `ttl` is zero, so no outcome would be kept; write a longer time, like `"24h"`
fn zero_ttl(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", min_key_length = 256)]
//~ error at `256`: `min_key_length` must be at most 255, the length of the longest key
fn min_key_length_above_every_key(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}
