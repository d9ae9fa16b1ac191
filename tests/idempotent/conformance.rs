//! The store of this crate under the suite, and the suite itself: what it finds in stores that are wrong.

mod memory {
    use std::future::{Ready, ready};
    use std::sync::Arc;

    use resilience::idempotent::MemoryStore;

    fn store() -> Ready<Arc<MemoryStore>> {
        ready(Arc::new(MemoryStore::new()))
    }

    resilience::store_conformance!(store, keys = 1000);
}

/// One store for all cases, as a trait object, in virtual time.
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

/// Without a runtime: the races go over threads.
mod neutral {
    use std::sync::Arc;

    use futures::executor::block_on;
    use resilience::idempotent::MemoryStore;
    use resilience::idempotent::conformance::{self as suite, Candidate};

    #[test]
    fn races_need_no_runtime() {
        let candidate = Candidate::new(Arc::new(MemoryStore::new())).keys(20);
        block_on(suite::racing_claims_have_one_winner(candidate.clone()));
        block_on(suite::a_late_completion_races_a_takeover(candidate.clone()));
        block_on(suite::a_lease_ends_on_time(candidate));
    }
}

/// Runs a case where no time passes but that which is waited for.
pub(crate) fn in_virtual_time<T>(case: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().expect("a runtime").block_on(case)
}
