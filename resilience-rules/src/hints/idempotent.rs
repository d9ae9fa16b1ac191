//! Names of other libraries for the keys of `#[idempotent]`.

use super::Hint::{self, Other, Same};

const KEPT: &str = "the time for which an outcome is kept";
const LEASE: &str = "the time after which a silent call counts as dead";
const RENEWAL: &str = "the time for which a running call renews its lease";
const KEY: Hint = Same("key", "request_id", "the key of a repeated call");

pub(super) const HINTS: &[(&str, Hint)] = &[
    ("id", KEY),
    ("idempotency_key", KEY),
    ("request_id", Other("write `key = request_id`")),
    ("event_key_jmespath", KEY),
    ("data_keyword_argument", KEY),
    ("key_expression", KEY),
    ("tenant", Same("scope", "tenant_id", "the owner of the key")),
    ("namespace", Same("scope", "tenant_id", "the owner of the key")),
    ("prefix", Same("scope", "tenant_id", "the owner of the key")),
    ("partition", Same("scope", "tenant_id", "the owner of the key")),
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
    ("max_execution_time", Same("max_renewal", "\"10m\"", RENEWAL)),
    ("max_duration", Same("max_renewal", "\"10m\"", RENEWAL)),
    ("heartbeat", Other("write `lease = \"30s\"`: a call renews its lease after each third of it")),
    ("persistence_store", Same("store", "self.store", "the store of the records")),
    ("storage", Same("store", "self.store", "the store of the records")),
    ("backend", Same("store", "self.store", "the store of the records")),
    ("cache", Same("store", "self.store", "the store of the records")),
    ("payload_validation_jmespath", Other("write `fingerprint(order.id, order.amount)`")),
    ("hash", Other("write `fingerprint(order.id, order.amount)`")),
    ("include", Other("write `fingerprint(order.id, order.amount)`")),
    ("exclude", Other("write `#[skip]` on the argument")),
    ("skip", Other("write `#[skip]` on the argument")),
    ("wait", Other("write `concurrent = wait(\"5s\")`")),
    ("on_conflict", Other("write `concurrent = \"reject\"` or `concurrent = wait(\"5s\")`")),
    ("conflict_policy", Other("write `concurrent = \"reject\"` or `concurrent = wait(\"5s\")`")),
    ("fail_open", Other("write `on_store_error = \"fail_open\"`")),
    (
        "raise_on_no_idempotency_key",
        Other("a missing key is an error unless `optional_key` is written"),
    ),
    ("cache_errors", Other("write `keep = \"ok_and_permanent\"`")),
    ("store_errors", Other("write `keep = \"ok_and_permanent\"`")),
    ("at_most_once", Other("write `on_interrupted = \"unknown\"`")),
    ("at_least_once", Other("write `on_interrupted = \"rerun\"`")),
];
