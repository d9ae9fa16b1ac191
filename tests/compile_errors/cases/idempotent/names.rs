// Names that other libraries use. Each name has a hint.

use resilience::{Rejected, idempotent};

#[idempotent(
    key = id,
    scope = "global",
    id,
    //~ error at `id`: `#[idempotent]` has no `id`; write `key = request_id` (the key of a repeated call)
    idempotency_key,
    //~ error at `idempotency_key`: `#[idempotent]` has no `idempotency_key`; write `key = request_id` (the key of a repeated call)
    request_id,
    //~ error at `request_id`: `#[idempotent]` has no `request_id`; write `key = request_id`
    event_key_jmespath,
    //~ error at `event_key_jmespath`: `#[idempotent]` has no `event_key_jmespath`; write `key = request_id` (the key of a repeated call)
    data_keyword_argument,
    //~ error at `data_keyword_argument`: `#[idempotent]` has no `data_keyword_argument`; write `key = request_id` (the key of a repeated call)
    key_expression,
    //~ error at `key_expression`: `#[idempotent]` has no `key_expression`; write `key = request_id` (the key of a repeated call)
    tenant,
    //~ error at `tenant`: `#[idempotent]` has no `tenant`; write `scope = tenant_id` (the owner of the key)
    namespace,
    //~ error at `namespace`: `#[idempotent]` has no `namespace`; write `scope = tenant_id` (the owner of the key)
    prefix,
    //~ error at `prefix`: `#[idempotent]` has no `prefix`; write `scope = tenant_id` (the owner of the key)
    partition,
    //~ error at `partition`: `#[idempotent]` has no `partition`; write `scope = tenant_id` (the owner of the key)
    expires_after,
    //~ error at `expires_after`: `#[idempotent]` has no `expires_after`; write `ttl = "24h"` (the time for which an outcome is kept)
    expires_after_seconds,
    //~ error at `expires_after_seconds`: `#[idempotent]` has no `expires_after_seconds`; write `ttl = "24h"` (the time for which an outcome is kept)
    expires_in,
    //~ error at `expires_in`: `#[idempotent]` has no `expires_in`; write `ttl = "24h"` (the time for which an outcome is kept)
    expiry,
    //~ error at `expiry`: `#[idempotent]` has no `expiry`; write `ttl = "24h"` (the time for which an outcome is kept)
    expiration,
    //~ error at `expiration`: `#[idempotent]` has no `expiration`; write `ttl = "24h"` (the time for which an outcome is kept)
    retention,
    //~ error at `retention`: `#[idempotent]` has no `retention`; write `ttl = "24h"` (the time for which an outcome is kept)
    duration,
    //~ error at `duration`: `#[idempotent]` has no `duration`; write `ttl = "24h"` (the time for which an outcome is kept)
    lock_timeout,
    //~ error at `lock_timeout`: `#[idempotent]` has no `lock_timeout`; write `lease = "30s"` (the time after which a silent call counts as dead)
    lock_ttl,
    //~ error at `lock_ttl`: `#[idempotent]` has no `lock_ttl`; write `lease = "30s"` (the time after which a silent call counts as dead)
    in_progress_timeout,
    //~ error at `in_progress_timeout`: `#[idempotent]` has no `in_progress_timeout`; write `lease = "30s"` (the time after which a silent call counts as dead)
    visibility_timeout,
    //~ error at `visibility_timeout`: `#[idempotent]` has no `visibility_timeout`; write `lease = "30s"` (the time after which a silent call counts as dead)
    max_execution_time,
    //~ error at `max_execution_time`: `#[idempotent]` has no `max_execution_time`; write `max_renewal = "10m"` (the time for which a running call renews its lease)
    heartbeat,
    //~ error at `heartbeat`: `#[idempotent]` has no `heartbeat`; write `lease = "30s"`: a call renews its lease after each third of it
    persistence_store,
    //~ error at `persistence_store`: `#[idempotent]` has no `persistence_store`; write `store = self.store` (the store of the records)
    storage,
    //~ error at `storage`: `#[idempotent]` has no `storage`; write `store = self.store` (the store of the records)
    backend,
    //~ error at `backend`: `#[idempotent]` has no `backend`; write `store = self.store` (the store of the records)
    cache,
    //~ error at `cache`: `#[idempotent]` has no `cache`; write `store = self.store` (the store of the records)
    payload_validation_jmespath,
    //~ error at `payload_validation_jmespath`: `#[idempotent]` has no `payload_validation_jmespath`; write `fingerprint(order.id, order.amount)`
    hash,
    //~ error at `hash`: `#[idempotent]` has no `hash`; write `fingerprint(order.id, order.amount)`
    include,
    //~ error at `include`: `#[idempotent]` has no `include`; write `fingerprint(order.id, order.amount)`
    exclude,
    //~ error at `exclude`: `#[idempotent]` has no `exclude`; write `#[skip]` on the argument
    skip,
    //~ error at `skip`: `#[idempotent]` has no `skip`; write `#[skip]` on the argument
    wait,
    //~ error at `wait`: `#[idempotent]` has no `wait`; write `concurrent = wait("5s")`
    on_conflict,
    //~ error at `on_conflict`: `#[idempotent]` has no `on_conflict`; write `concurrent = "reject"` or `concurrent = wait("5s")`
    conflict_policy,
    //~ error at `conflict_policy`: `#[idempotent]` has no `conflict_policy`; write `concurrent = "reject"` or `concurrent = wait("5s")`
    fail_open,
    //~ error at `fail_open`: `#[idempotent]` has no `fail_open`; write `on_store_error = "fail_open"`
    raise_on_no_idempotency_key,
    //~ error at `raise_on_no_idempotency_key`: `#[idempotent]` has no `raise_on_no_idempotency_key`; a missing key is an error unless `optional_key` is written
    cache_errors,
    //~ error at `cache_errors`: `#[idempotent]` has no `cache_errors`; write `keep = "ok_and_permanent"`
    store_errors,
    //~ error at `store_errors`: `#[idempotent]` has no `store_errors`; write `keep = "ok_and_permanent"`
    at_most_once,
    //~ error at `at_most_once`: `#[idempotent]` has no `at_most_once`; write `on_interrupted = "unknown"`
    at_least_once
    //~ error at `at_least_once`: `#[idempotent]` has no `at_least_once`; write `on_interrupted = "rerun"`
)]
fn names_of_other_libraries(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

// The hint reuses a value that fits.
#[idempotent(
    idempotency_key = id,
    //~ error at `idempotency_key`: `#[idempotent]` has no `idempotency_key`; write `key = id` (the key of a repeated call)
    tenant = id,
    //~ error at `tenant`: `#[idempotent]` has no `tenant`; write `scope = id` (the owner of the key)
    expires_after_seconds = 3600,
    //~ error at `expires_after_seconds`: `#[idempotent]` has no `expires_after_seconds`; write `ttl = "24h"` (the time for which an outcome is kept)
    lock_timeout = "1m"
    //~ error at `lock_timeout`: `#[idempotent]` has no `lock_timeout`; write `lease = "1m"` (the time after which a silent call counts as dead)
)]
fn values_of_other_libraries(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}
