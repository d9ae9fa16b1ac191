//! The words of `#[idempotent]`.

use resilience::idempotent::{IdempotencyContext, MemoryStore, Reconciled};
use resilience::{Rejected, idempotent};

static STORE: MemoryStore = MemoryStore::new();

fn find(_: IdempotencyContext) -> Reconciled<Result<u32, Rejected>> {
    Reconciled::NotApplied
}

/// Stores a success.
///
/// # Errors
/// Returns the rejection of the attribute.
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
pub fn stored(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

/// Stores only that the call has run.
///
/// # Errors
/// Returns the rejection of the attribute.
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
pub fn not_stored(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::{STORE, not_stored, stored};

    #[test]
    fn each_word_has_a_meaning() {
        assert_eq!((stored(1), not_stored(1)), (Ok(1), Ok(1)));
        assert_eq!((stored(1), not_stored(1).is_err(), STORE.len()), (Ok(1), true, 2));
    }
}
