//! The names that other libraries use for what `#[idempotent]` has under its own.

use crate::hint::Hint::{self, Other, Same};

const KEPT: &str = "how long an outcome is kept";
const LEASE: &str = "how long after its last sign of life a call counts as dead";
const KEY: Hint = Same("key", "request_id", "by which a repeated call is known");

pub(super) const HINTS: &[(&str, Hint)] = &[
    ("id", KEY),
    ("idempotency_key", KEY),
    ("request_id", Other("write `key = request_id`")),
    ("event_key_jmespath", KEY),
    ("data_keyword_argument", KEY),
    ("key_expression", KEY),
    ("tenant", Same("scope", "tenant_id", "whose key it is")),
    ("namespace", Same("scope", "tenant_id", "whose key it is")),
    ("prefix", Same("scope", "tenant_id", "whose key it is")),
    ("partition", Same("scope", "tenant_id", "whose key it is")),
    ("expires_after", Same("ttl", "\"24h\"", KEPT)),
    ("expires_after_seconds", Same("ttl", "\"24h\"", KEPT)),
    ("expires_in", Same("ttl", "\"24h\"", KEPT)),
    ("expiry", Same("ttl", "\"24h\"", KEPT)),
    ("expiration", Same("ttl", "\"24h\"", KEPT)),
    ("retention", Same("ttl", "\"24h\"", KEPT)),
    ("duration", Same("ttl", "\"24h\"", KEPT)),
    ("lock_timeout", Same("lease", "\"30s\"", LEASE)),
    ("lock_ttl", Same("lease", "\"30s\"", LEASE)),
    ("in_progress_timeout", Same("lease", "\"30s\"", LEASE)),
    ("visibility_timeout", Same("lease", "\"30s\"", LEASE)),
    ("heartbeat", Other("a call gives a sign of life every third of its `lease = \"30s\"`")),
    ("persistence_store", Same("store", "self.store", "where the records are")),
    ("storage", Same("store", "self.store", "where the records are")),
    ("backend", Same("store", "self.store", "where the records are")),
    ("cache", Same("store", "self.store", "where the records are")),
    ("payload_validation_jmespath", Other("write `fingerprint(order.id, order.amount)`")),
    ("hash", Other("write `fingerprint(order.id, order.amount)`")),
    ("include", Other("write `fingerprint(order.id, order.amount)`")),
    ("exclude", Other("write `#[skip]` on the argument")),
    ("skip", Other("write `#[skip]` on the argument")),
    ("wait", Other("write `concurrent = wait(\"5s\")`")),
    ("on_conflict", Other("write `concurrent = reject` or `concurrent = wait(\"5s\")`")),
    ("conflict_policy", Other("write `concurrent = reject` or `concurrent = wait(\"5s\")`")),
    ("fail_open", Other("write `on_store_error = fail_open`")),
    ("raise_on_no_idempotency_key", Other("a missing key is an error, without `optional_key`")),
    ("cache_errors", Other("write `keep = ok_and_permanent`")),
    ("store_errors", Other("write `keep = ok_and_permanent`")),
    ("at_most_once", Other("write `on_interrupted = unknown`")),
    ("at_least_once", Other("write `on_interrupted = rerun`")),
];
