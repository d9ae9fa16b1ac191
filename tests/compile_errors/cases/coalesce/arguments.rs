// Mistakes in the arguments.

use resilience::{Coalescer, coalesce};

static SHARED: Coalescer = Coalescer::new();

#[coalesce]
fn no_key() -> Option<u32> {
    None
}

#[coalesce(key = id, scope = global)]
fn scope_without_quotes(id: u32) -> Option<u32> {
    Some(id)
}

#[coalesce(key = id, scope = "tenant")]
fn unknown_scope(id: u32) -> Option<u32> {
    Some(id)
}

#[coalesce(key = id, coalescer = "shared")]
fn coalescer_literal(id: u32) -> Option<u32> {
    Some(id)
}

#[coalesce(key = id, coalescer = &SHARED, scope = "global", name = "mine")]
fn coalescer_beside_scope_and_name(id: u32) -> Option<u32> {
    Some(id)
}

#[coalesce(key = id, error = 7)]
fn error_literal(id: u32) -> Option<u32> {
    Some(id)
}

mod other_library {
    use resilience::coalesce;

    #[coalesce(by_key = id, sync_writes = true, ttl = "1m", max_keys = 7)]
    fn cached(id: u32) -> Option<u32> {
        Some(id)
    }

    #[coalesce(convert = id, sync = true, time = 60, size = 7)]
    fn spring_and_cached(id: u32) -> Option<u32> {
        Some(id)
    }

    #[coalesce(cache_key = id, group = GROUP, stale = "1m")]
    fn groups(id: u32) -> Option<u32> {
        Some(id)
    }

    #[coalesce(by = id, policy = GROUP, timeout = "5s", on_panic = stop)]
    fn singleflight(id: u32) -> Option<u32> {
        Some(id)
    }

    #[coalesce(key_fn = id, wait = "5s")]
    fn key_functions(id: u32) -> Option<u32> {
        Some(id)
    }

    #[coalesce(group_key = id)]
    fn group_keys(id: u32) -> Option<u32> {
        Some(id)
    }

    #[coalesce(id = id)]
    fn ids(id: u32) -> Option<u32> {
        Some(id)
    }
}
