// The names that other libraries use.
use resilience::{Rejected, idempotent};

#[idempotent(
    key = id,
    scope = "global",
    id,
    idempotency_key,
    request_id,
    event_key_jmespath,
    data_keyword_argument,
    key_expression,
    tenant,
    namespace,
    prefix,
    partition,
    expires_after,
    expires_after_seconds,
    expires_in,
    expiry,
    expiration,
    retention,
    duration,
    lock_timeout,
    lock_ttl,
    in_progress_timeout,
    visibility_timeout,
    heartbeat,
    persistence_store,
    storage,
    backend,
    cache,
    payload_validation_jmespath,
    hash,
    include,
    exclude,
    skip,
    wait,
    on_conflict,
    conflict_policy,
    fail_open,
    raise_on_no_idempotency_key,
    cache_errors,
    store_errors,
    at_most_once,
    at_least_once
)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
