// Mistakes in the form of the attribute, and missing keys.

use resilience::{Rejected, idempotent};

#[idempotent]
//~ error at `#[idempotent]`: `#[idempotent]` needs the key that identifies a repeated call: `key = request_id`; inside another idempotent call write `step = "…"`
//~ error at `#[idempotent]`: `#[idempotent]` needs the owner of the key: `scope = tenant_id`; for keys that no client can choose write `scope = "global"`
fn bare_attribute(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", on-interrupted = rerun)]
//~ error at `on`: keys are written with underscores, not hyphens: `on_…`
fn kebab_key(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key, scope)]
//~ error at `key`: `key` needs a value: `key = …`
//~ error at `scope`: `scope` needs a value: `scope = …`
fn key_alone(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

// Two types can have a method of the same name.
mod method_without_name {
    use resilience::{Rejected, idempotent};

    struct Bank;

    impl Bank {
        #[idempotent(key = id, scope = "global")]
        //~ error at `#[idempotent(key = id, scope = "global")]`: a method needs a name for its records, because another type in this module may have a method `charge` too; add `name = "payments.charge"`
        fn charge(&self, id: &str) -> Result<(), Rejected> {
            Ok(drop(id))
        }
    }
}

#[idempotent(scope = "global")]
//~ error at `#[idempotent(scope = "global")]`: `#[idempotent]` needs the key that identifies a repeated call: `key = request_id`; inside another idempotent call write `step = "…"`
fn missing_key(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(scope = "global", ttl = "1h", keep = "ok")]
//~ error at `#[idempotent(scope = "global", ttl = "1h", keep = "ok")]`: `#[idempotent]` needs the key that identifies a repeated call: `key = request_id`; inside another idempotent call write `step = "…"`
fn missing_key_beside_others(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id)]
//~ error at `#[idempotent(key = id)]`: `#[idempotent]` needs the owner of the key: `scope = tenant_id`; for keys that no client can choose write `scope = "global"`
fn missing_scope(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(
    key = id,
    scope = "global",
    keep = okay,
    //~ error at `okay`: did you mean `keep = "ok"`?
    on_interrupted = "reran",
    //~ error at `"reran"`: unknown value `"reran"` of `on_interrupted`; did you mean `on_interrupted = "rerun"`?
    concurrent = rejected,
    //~ error at `rejected`: did you mean `concurrent = "reject"`?
    on_store_error = fail_close,
    //~ error at `fail_close`: did you mean `on_store_error = "fail_closed"`?
    on_lease_lost = cancle,
    //~ error at `cancle`: did you mean `on_lease_lost = "cancel"`?
    on_unsaved = "retrun"
    //~ error at `"retrun"`: unknown value `"retrun"` of `on_unsaved`; did you mean `on_unsaved = "return"`?
)]
fn near_words(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

// The attribute `#[skip]` is removed in spite of the mistake.
#[idempotent(key = id)]
//~ error at `#[idempotent(key = id)]`: `#[idempotent]` needs the owner of the key: `scope = tenant_id`; for keys that no client can choose write `scope = "global"`
fn skip_beside_a_mistake(id: &str, #[skip] client: u32) -> Result<(), Rejected> {
    Ok(drop((id, client)))
}

#[idempotent(key = id, scope = "global", concurrent = "5s")]
//~ error at `"5s"`: unknown value `"5s"` of `concurrent`; expected one of `"reject"`, `wait("5s")`
fn wait_alone_in_quotes(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = "global", concurrent = wait)]
//~ error at `wait`: `wait` needs a value: write `concurrent = wait("5s")`
fn wait_without_time(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}
