// Mistakes in the keys of the last good value.

use resilience::fallback;

#[fallback(stale = "10m")]
fn no_key() -> Option<u32> {
    None
}

#[fallback(stale = "0s", key = id, max_keys = 0)]
fn zeros(id: u32) -> Option<u32> {
    Some(id)
}

#[fallback(stale = 600, key = id)]
fn no_unit(id: u32) -> Option<u32> {
    Some(id)
}

#[fallback(stale = "10m", key = id, value = 7, with = |_| 7)]
fn other_replacements(id: u32) -> Option<u32> {
    Some(id)
}

#[fallback(value = 7, key = id, max_keys = 9, scope = "global", aged = |value, _| value)]
fn keys_without_stale(id: u32) -> Option<u32> {
    Some(id)
}

#[fallback(stale = "10m", key = id, scope = "tenant", aged = 7)]
fn wrong_scope_and_aged(id: u32) -> Option<u32> {
    Some(id)
}

struct Client {
    tenant: u32,
}

impl Client {
    #[fallback(stale = "10m", key = id)]
    fn method_without_self(&self, id: u32) -> Option<u32> {
        Some(self.tenant + id)
    }
}

const fn keys<const N: u32>() -> u32 {
    N
}

#[fallback(stale = "10m", key = (), max_keys = { keys::<N>() })]
fn generic_max_keys<const N: u32>() -> Option<u32> {
    Some(N)
}

mod other_library {
    use resilience::fallback;

    #[fallback(ttl = "10m", cache_key = id, max_size = 100, result_fallback = true)]
    fn cached(id: u32) -> Option<u32> {
        Some(id)
    }

    #[fallback(max_age = "10m", convert = id, size = 100, cache = CACHE)]
    fn cached_again(id: u32) -> Option<u32> {
        Some(id)
    }

    #[fallback(stale_if_error = 600, last_good = true, max_capacity = 9, on_stale = note)]
    fn http_and_moka(id: u32) -> Option<u32> {
        Some(id)
    }

    #[fallback(max_stale = "10m", stale_while_error = "10m", time_to_live = "10m", time = "10m")]
    fn caches(id: u32) -> Option<u32> {
        Some(id)
    }
}
