//! The conformance suite on the memory store.

mod memory {
    use std::future::{Ready, ready};
    use std::sync::Arc;

    use resilience::idempotent::MemoryStore;

    fn store() -> Ready<Arc<MemoryStore>> {
        ready(Arc::new(MemoryStore::new()))
    }

    resilience::store_conformance!(store, keys = 1000);
}

/// Runs all cases on the same store, as a trait object, in virtual time.
mod shared {
    use std::future::{Ready, ready};
    use std::sync::{Arc, LazyLock};

    use resilience::idempotent::{DynStore, MemoryStore};

    fn store() -> Ready<Arc<dyn DynStore>> {
        static STORE: LazyLock<Arc<MemoryStore>> = LazyLock::new(Arc::default);
        ready(Arc::clone(&STORE) as Arc<dyn DynStore>)
    }

    resilience::store_conformance!(store, block_on = super::in_virtual_time);
}

/// Runs races on threads, without a runtime.
mod threads {
    use std::sync::Arc;

    use futures::executor::block_on;
    use resilience::idempotent::MemoryStore;
    use resilience::idempotent::conformance::{self as suite, Candidate};

    #[test]
    fn races_run_without_a_runtime() {
        let candidate = Candidate::new(Arc::new(MemoryStore::new())).keys(20);
        block_on(suite::racing_claims_have_one_winner(candidate.clone()));
        block_on(suite::a_late_completion_races_a_takeover(candidate.clone()));
        block_on(suite::a_lease_ends_on_time(candidate));
    }
}

/// Runs a case in virtual time.
pub(crate) fn in_virtual_time<T>(case: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().expect("a runtime").block_on(case)
}
