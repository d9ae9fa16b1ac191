//! Names of other libraries for the keys of `#[fallback]`.

use super::Hint::{self, Other, Same};

const STALE_MEANING: &str = "the greatest age of a last good value";
const STALE: Hint = Same("stale", "\"10m\"", STALE_MEANING);
const MAX_KEYS: &str = "the number of keys with a last good value";

pub(super) const HINTS: &[(&str, Hint)] = &[
    ("default", Same("value", "…", "the value to return instead")),
    ("default_value", Same("value", "…", "the value to return instead")),
    ("fallback", Same("with", "|error| …", "called with the error")),
    ("fallback_method", Same("with", "|error| …", "called with the error")),
    ("method", Same("with", "|error| …", "called with the error")),
    ("handler", Same("with", "|error| …", "called with the error")),
    ("function", Same("with", "|error| …", "called with the error")),
    ("when", Same("on", "is_unavailable", "the errors to replace")),
    ("ttl", STALE),
    ("max_age", STALE),
    ("max_stale", STALE),
    ("stale_if_error", STALE),
    ("stale_while_error", STALE),
    ("time_to_live", STALE),
    ("time", Same("stale", "\"10m\"", STALE_MEANING)),
    (
        "result_fallback",
        Other("write `stale = \"10m\", key = …` to return the last good value of a key"),
    ),
    ("last_good", Other("write `stale = \"10m\", key = …` to return the last good value of a key")),
    ("cache", Other("write `stale = \"10m\", key = …` to return the last good value of a key")),
    ("on_stale", Same("aged", "mark_as_old", "changes a last good value before the return")),
    ("convert", Other("write `key = …`, an expression of the arguments")),
    ("cache_key", Same("key", "id", "the key of the last good value")),
    ("max_size", Same("max_keys", "1000", MAX_KEYS)),
    ("size", Same("max_keys", "1000", MAX_KEYS)),
    ("max_capacity", Same("max_keys", "1000", MAX_KEYS)),
    ("apply_on", Same("on", "is_unavailable", "the errors to replace")),
    ("handle_result", Same("on_ok", "is_busy", "the values to replace")),
    ("skip_on", Other("write `on = |error| !matches!(error, …)`")),
    ("exceptions", Other("write `on = |error| matches!(error, …)`")),
];
