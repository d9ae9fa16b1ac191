//! Names of other libraries for the keys of `#[coalesce]`.

use super::Hint::{self, Other, Same};

const KEY: &str = "equal keys share one execution";
const NOTHING_KEPT: Hint = Other(
    "`#[coalesce]` keeps nothing after the call; to keep the last good value for failures write \
     `#[fallback(stale = \"10m\", key = …)]`",
);

pub(super) const HINTS: &[(&str, Hint)] = &[
    ("by", Same("key", "id", KEY)),
    ("by_key", Same("key", "id", KEY)),
    ("cache_key", Same("key", "id", KEY)),
    ("convert", Same("key", "id", KEY)),
    ("group_key", Same("key", "id", KEY)),
    ("id", Same("key", "id", KEY)),
    ("key_fn", Same("key", "id", KEY)),
    ("group", Same("coalescer", "&SHARED", "a `Coalescer` made by hand")),
    ("policy", Same("coalescer", "&SHARED", "a `Coalescer` made by hand")),
    ("sync", Other("`#[coalesce]` always shares; remove it")),
    ("sync_writes", Other("`#[coalesce]` always shares by `key`; remove it")),
    ("ttl", NOTHING_KEPT),
    ("time", NOTHING_KEPT),
    ("stale", NOTHING_KEPT),
    ("max_keys", Other("the table holds running calls only and needs no limit; remove it")),
    ("size", Other("the table holds running calls only and needs no limit; remove it")),
    (
        "timeout",
        Other("write `#[timeout(\"5s\")]` above `#[coalesce]` to bound the wait of each call"),
    ),
    (
        "wait",
        Other("write `#[timeout(\"5s\")]` above `#[coalesce]` to bound the wait of each call"),
    ),
    ("on_panic", Other("write `error = |rejected| …` to make the error")),
];
