// Mistakes in the arguments.

use resilience::{Coalescer, coalesce};

static SHARED: Coalescer = Coalescer::new();

#[coalesce]
//~ error at `#[coalesce]`: `#[coalesce]` needs the key of the calls that share one execution: `key = id`; for a function without arguments `key = ()`
fn no_key() -> Option<u32> {
    None
}

#[coalesce(key = id, scope = global)]
//~ error at `global`: a choice needs quotes: write `scope = "global"`
fn scope_without_quotes(id: u32) -> Option<u32> {
    Some(id)
}

#[coalesce(key = id, scope = "tenant")]
//~ error at `"tenant"`: unknown value `"tenant"` of `scope`; expected one of `"global"`
fn unknown_scope(id: u32) -> Option<u32> {
    Some(id)
}

#[coalesce(key = id, coalescer = "shared")]
//~ error at `"shared"`: expected a `Coalescer`, like `coalescer = &SHARED` or `coalescer = self.coalescer`
fn coalescer_literal(id: u32) -> Option<u32> {
    Some(id)
}

#[coalesce(key = id, coalescer = &SHARED, scope = "global", name = "mine")]
//~ error at `scope`: `scope` and `coalescer` exclude each other: the calls of a coalescer made by hand share their executions; remove `scope`
//~ error at `name`: `name` and `coalescer` exclude each other: a policy made by hand has its own settings; remove `name`, or set it on the policy
fn coalescer_beside_scope_and_name(id: u32) -> Option<u32> {
    Some(id)
}

#[coalesce(key = id, error = 7)]
//~ error at `7`: expected a path or a closure, like `error = from_rejected` or `error = |rejected| …`
fn error_literal(id: u32) -> Option<u32> {
    Some(id)
}

mod other_library {
    use resilience::coalesce;

    #[coalesce(by_key = id, sync_writes = true, ttl = "1m", max_keys = 7)]
    //~ error at `by_key`: `#[coalesce]` has no `by_key`; write `key = id` (equal keys share one execution)
    //~ error at `sync_writes`: `#[coalesce]` has no `sync_writes`; `#[coalesce]` always shares by `key`; remove it
    //~ error at `ttl`: `#[coalesce]` has no `ttl`; `#[coalesce]` keeps nothing after the call; to keep the last good value for failures write `#[fallback(stale = "10m", key = …)]`
    //~ error at `max_keys`: `#[coalesce]` has no `max_keys`; the table holds running calls only and needs no limit; remove it
    fn cached(id: u32) -> Option<u32> {
        Some(id)
    }

    #[coalesce(convert = id, sync = true, time = 60, size = 7)]
    //~ error at `convert`: `#[coalesce]` has no `convert`; write `key = id` (equal keys share one execution)
    //~ error at `sync`: `#[coalesce]` has no `sync`; `#[coalesce]` always shares; remove it
    //~ error at `time`: `#[coalesce]` has no `time`; `#[coalesce]` keeps nothing after the call; to keep the last good value for failures write `#[fallback(stale = "10m", key = …)]`
    //~ error at `size`: `#[coalesce]` has no `size`; the table holds running calls only and needs no limit; remove it
    fn spring_and_cached(id: u32) -> Option<u32> {
        Some(id)
    }

    #[coalesce(cache_key = id, group = GROUP, stale = "1m")]
    //~ error at `cache_key`: `#[coalesce]` has no `cache_key`; write `key = id` (equal keys share one execution)
    //~ error at `group`: `#[coalesce]` has no `group`; write `coalescer = GROUP` (a `Coalescer` made by hand)
    //~ error at `stale`: `#[coalesce]` has no `stale`; `#[coalesce]` keeps nothing after the call; to keep the last good value for failures write `#[fallback(stale = "10m", key = …)]`
    fn groups(id: u32) -> Option<u32> {
        Some(id)
    }

    #[coalesce(by = id, policy = GROUP, timeout = "5s", on_panic = stop)]
    //~ error at `by`: `#[coalesce]` has no `by`; write `key = id` (equal keys share one execution)
    //~ error at `policy`: `#[coalesce]` has no `policy`; write `coalescer = GROUP` (a `Coalescer` made by hand)
    //~ error at `timeout`: `#[coalesce]` has no `timeout`; write `#[timeout("5s")]` above `#[coalesce]` to bound the wait of each call
    //~ error at `on_panic`: `#[coalesce]` has no `on_panic`; write `error = |rejected| …` to make the error
    fn singleflight(id: u32) -> Option<u32> {
        Some(id)
    }

    #[coalesce(key_fn = id, wait = "5s")]
    //~ error at `key_fn`: `#[coalesce]` has no `key_fn`; write `key = id` (equal keys share one execution)
    //~ error at `wait`: `#[coalesce]` has no `wait`; write `#[timeout("5s")]` above `#[coalesce]` to bound the wait of each call
    fn key_functions(id: u32) -> Option<u32> {
        Some(id)
    }

    #[coalesce(group_key = id)]
    //~ error at `group_key`: `#[coalesce]` has no `group_key`; write `key = id` (equal keys share one execution)
    fn group_keys(id: u32) -> Option<u32> {
        Some(id)
    }

    #[coalesce(id = id)]
    //~ error at `id`: `#[coalesce]` has no `id`; write `key = id` (equal keys share one execution)
    fn ids(id: u32) -> Option<u32> {
        Some(id)
    }
}
