// Mistakes in the keys of the last good value.

use resilience::fallback;

#[fallback(stale = "10m")]
//~ error at `stale`: `stale` needs the key of the value: write `key = id`; for a function with a single value `key = ()`
fn no_key() -> Option<u32> {
    None
}

#[fallback(stale = "0s", key = id, max_keys = 0)]
//~ error at `"0s"`: `stale` of zero leaves no value to return: write `stale = "10m"`, or remove it
//~ error at `0`: `max_keys` must be at least 1
fn zeros(id: u32) -> Option<u32> {
    Some(id)
}

#[fallback(stale = 600, key = id)]
//~ error at `600`: missing unit: write `"600ms"` or `"600s"`
fn no_unit(id: u32) -> Option<u32> {
    Some(id)
}

#[fallback(stale = "10m", key = id, value = 7, with = |_| 7)]
//~ error at `value`: `value` and `stale` exclude each other: one attribute has one replacement; write `value` in a second `#[fallback]` above, for a call without a last good value
//~ error at `with`: `with` and `stale` exclude each other: one attribute has one replacement; write `with` in a second `#[fallback]` above, for a call without a last good value
fn other_replacements(id: u32) -> Option<u32> {
    Some(id)
}

#[fallback(value = 7, key = id, max_keys = 9, scope = "global", aged = |value, _| value)]
//~ error at `key`: `key` belongs to the last good value: write `stale = "10m"` as well, or remove `key`
//~ error at `max_keys`: `max_keys` belongs to the last good value: write `stale = "10m"` as well, or remove `max_keys`
//~ error at `scope`: `scope` belongs to the last good value: write `stale = "10m"` as well, or remove `scope`
//~ error at `aged`: `aged` belongs to the last good value: write `stale = "10m"` as well, or remove `aged`
fn keys_without_stale(id: u32) -> Option<u32> {
    Some(id)
}

#[fallback(stale = "10m", key = id, scope = "tenant", aged = 7)]
//~ error at `"tenant"`: unknown value `"tenant"` of `scope`; expected one of `"global"`
//~ error at `7`: expected a path or a closure, like `aged = mark_as_old` or `aged = |value, age| …`
fn wrong_scope_and_aged(id: u32) -> Option<u32> {
    Some(id)
}

struct Client {
    tenant: u32,
}

impl Client {
    #[fallback(stale = "10m", key = id)]
    //~ error at `id`: two values of `Self` may give different results for one key, and `#[fallback]` would mix them; name a field in the key, like `key = (self.tenant, id)`; if all values are alike, add `scope = "global"`
    fn method_without_self(&self, id: u32) -> Option<u32> {
        Some(self.tenant + id)
    }
}

const fn keys<const N: u32>() -> u32 {
    N
}

#[fallback(stale = "10m", key = (), max_keys = { keys::<N>() })]
//~ error at `keys::<N>()`: `max_keys` cannot depend on a generic parameter: all instances of the function share one `static` state
fn generic_max_keys<const N: u32>() -> Option<u32> {
    Some(N)
}

mod other_library {
    use resilience::fallback;

    #[fallback(ttl = "10m", cache_key = id, max_size = 100, result_fallback = true)]
    //~ error at `ttl`: `#[fallback]` has no `ttl`; write `stale = "10m"` (the greatest age of a last good value)
    //~ error at `cache_key`: `#[fallback]` has no `cache_key`; write `key = id` (the key of the last good value)
    //~ error at `max_size`: `#[fallback]` has no `max_size`; write `max_keys = 100` (the number of keys with a last good value)
    //~ error at `result_fallback`: `#[fallback]` has no `result_fallback`; write `stale = "10m", key = …` to return the last good value of a key
    fn cached(id: u32) -> Option<u32> {
        Some(id)
    }

    #[fallback(max_age = "10m", convert = id, size = 100, cache = CACHE)]
    //~ error at `max_age`: `#[fallback]` has no `max_age`; write `stale = "10m"` (the greatest age of a last good value)
    //~ error at `convert`: `#[fallback]` has no `convert`; write `key = …`, an expression of the arguments
    //~ error at `size`: `#[fallback]` has no `size`; write `max_keys = 100` (the number of keys with a last good value)
    //~ error at `cache`: `#[fallback]` has no `cache`; write `stale = "10m", key = …` to return the last good value of a key
    fn cached_again(id: u32) -> Option<u32> {
        Some(id)
    }

    #[fallback(stale_if_error = 600, last_good = true, max_capacity = 9, on_stale = note)]
    //~ error at `stale_if_error`: `#[fallback]` has no `stale_if_error`; write `stale = "10m"` (the greatest age of a last good value)
    //~ error at `last_good`: `#[fallback]` has no `last_good`; write `stale = "10m", key = …` to return the last good value of a key
    //~ error at `max_capacity`: `#[fallback]` has no `max_capacity`; write `max_keys = 9` (the number of keys with a last good value)
    //~ error at `on_stale`: `#[fallback]` has no `on_stale`; write `aged = note` (changes a last good value before the return)
    fn http_and_moka(id: u32) -> Option<u32> {
        Some(id)
    }

    #[fallback(max_stale = "10m", stale_while_error = "10m", time_to_live = "10m", time = "10m")]
    //~ error at `max_stale`: `#[fallback]` has no `max_stale`; write `stale = "10m"` (the greatest age of a last good value)
    //~ error at `stale_while_error`: `#[fallback]` has no `stale_while_error`; write `stale = "10m"` (the greatest age of a last good value)
    //~ error at `time_to_live`: `#[fallback]` has no `time_to_live`; write `stale = "10m"` (the greatest age of a last good value)
    //~ error at `time`: `#[fallback]` has no `time`; write `stale = "10m"` (the greatest age of a last good value)
    fn caches(id: u32) -> Option<u32> {
        Some(id)
    }
}

#[fallback(stale = "10m", kye = id)]
//~ error at `kye`: `#[fallback]` has no `kye`; expected one of `name`, `stale`, `key`, `max_keys`, `scope`, `log`, `value`, `with`, `on`, `on_ok`, `aged`, `on_fallback`
fn misspelled_key(id: u32) -> Option<u32> {
    Some(id)
}
