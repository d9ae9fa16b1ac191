//! Names of other libraries for the keys of `#[timeout]`.

use super::Hint::{self, Other, Unkeyed};

const LIMIT: Hint = Unkeyed(
    "write the time without a key: `#[timeout(\"5s\")]`",
    "limit",
    "\"5s\"",
    "the longest time of a call",
);

pub(super) const HINTS: &[(&str, Hint)] = &[
    ("after", LIMIT),
    ("duration", LIMIT),
    ("max", LIMIT),
    ("cancel_after", LIMIT),
    ("millis", LIMIT),
    ("ms", LIMIT),
    ("secs", LIMIT),
    ("seconds", LIMIT),
    ("time", LIMIT),
    ("timeout", LIMIT),
    ("timeout_duration", LIMIT),
    ("value", LIMIT),
    (
        "on_timeout",
        Other("write `error = |rejected| …` to make the error; a timeout also emits an event"),
    ),
];
