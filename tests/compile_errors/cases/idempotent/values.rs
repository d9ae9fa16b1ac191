// Values that a key does not accept.

use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", ttl = id.parse())]
//~ error at `id.parse()`: `ttl` must be known at compile time; for a value known at run time pass a policy: `policy = …`
fn argument_as_time(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", fingerprint)]
//~ error at `fingerprint`: `fingerprint` needs the values that identify the request: `fingerprint(order.id, order.amount)`
fn fingerprint_bare(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", fingerprint = id.len())]
//~ error at `id.len()`: `fingerprint` takes a list: write `fingerprint(id.len())`
fn fingerprint_value(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", keep = with, on_interrupted = reconcile)]
//~ error at `with`: `with` needs a value: write `keep = with(path)`
//~ error at `reconcile`: `reconcile` needs a value: write `on_interrupted = reconcile(path)`
fn functions_missing(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = Some(id), scope = "global", optional_key = true)]
//~ error at `optional_key`: `optional_key` has no value; write `optional_key` alone to run calls without a key unprotected
fn optional_key_value(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", policy = "charge")]
//~ error at `"charge"`: expected an `IdempotencyPolicy`, like `policy = CHARGE` or `policy = self.policy`
fn policy_literal(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(step = "")]
//~ error at `""`: the name of a step is empty; name the step, like `step = "charge"`
fn step_without_name(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(step = charge)]
//~ error at `charge`: expected a text in quotes: `step = "…"`
fn step_without_quotes(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(
    key = id,
    scope = "global",
    keep = everything,
    //~ error at `everything`: expected one of `"ok"`, `"ok_and_permanent"`, `"nothing"`, `with(path)`
    on_interrupted = retry,
    //~ error at `retry`: expected one of `"rerun"`, `"unknown"`, `reconcile(path)`
    concurrent = queue,
    //~ error at `queue`: expected one of `"reject"`, `wait("5s")`
    on_store_error = panic,
    //~ error at `panic`: expected one of `"fail_closed"`, `"fail_open"`
    on_lease_lost = stop,
    //~ error at `stop`: expected one of `"continue"`, `"cancel"`
    on_unsaved = "raise"
    //~ error at `"raise"`: unknown value `"raise"` of `on_unsaved`; expected one of `"return"`, `"error"`
)]
fn unknown_words(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", concurrent = wait(5))]
//~ error at `5`: missing unit: write `"5ms"` or `"5s"`
fn wait_without_unit(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

// Each key with a literal that the key does not accept.
#[idempotent(
    key = id,
    scope = "global",
    ttl = 24,
    //~ error at `24`: missing unit: write `"24ms"` or `"24s"`
    lease = "30",
    //~ error at `"30"`: missing unit: write `"30ms"` or `"30s"`
    store_timeout = true,
    //~ error at `true`: expected a duration, like `store_timeout = "250ms"`
    version = "1",
    //~ error at `"1"`: a number has no quotes: write `version = 1`
    min_key_length = -1,
    //~ error at `-1`: `min_key_length` cannot be negative; write a whole number, like `min_key_length = 4`
    max_outcome = "256KiB",
    //~ error at `"256KiB"`: expected a whole number, like `max_outcome = 4`
    name = charge,
    //~ error at `charge`: expected a text in quotes: `name = "…"`
    store = "redis",
    //~ error at `"redis"`: expected a store, like `store = self.store` or `store = &STORE`; without `store`, records stay in the memory of this process
    on = true,
    //~ error at `true`: expected a path or a closure, like `on = is_transient` or `on = |error| …`
    error = "no"
    //~ error at `"no"`: expected a path or a closure, like `error = from_rejected` or `error = |rejected| …`
)]
fn wrong_literals(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "tenant")]
//~ error at `"tenant"`: the only scope in quotes is `"global"`, for keys that no client can choose; for any other scope write an expression, like `scope = tenant_id`
fn scope_in_quotes(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", on_lease_lost = continue, on_unsaved = return)]
//~ error at `continue`: a choice needs quotes: write `on_lease_lost = "continue"`
//~ error at `return`: a choice needs quotes: write `on_unsaved = "return"`
fn keywords_without_quotes(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}
