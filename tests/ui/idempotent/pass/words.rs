// Words stand with quotes or without.
use resilience::idempotent::{IdempotencyContext, MemoryStore, Reconciled};
use resilience::{Rejected, idempotent};

static STORE: MemoryStore = MemoryStore::new();

fn find(_: IdempotencyContext) -> Reconciled<Result<u32, Rejected>> {
    Reconciled::NotApplied
}

#[idempotent(
    store = &STORE,
    key = id,
    scope = "global",
    keep = "ok",
    on_interrupted = reconcile(find),
    concurrent = "reject",
    on_store_error = "fail_closed",
    on_lease_lost = "continue",
    on_unsaved = "return"
)]
fn bare(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[idempotent(
    store = STORE,
    key = id,
    scope = "global",
    keep = "nothing",
    on_interrupted = "unknown",
    concurrent = wait("1s"),
    on_store_error = "fail_open",
    on_lease_lost = "continue",
    on_unsaved = "return"
)]
fn quoted(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

fn main() {
    assert_eq!((bare(1), quoted(1)), (Ok(1), Ok(1)));
    assert_eq!((bare(1), quoted(1).is_err(), STORE.len()), (Ok(1), true, 2));
}
