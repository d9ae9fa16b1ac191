//! Names of other libraries for the keys of `#[bulkhead]`.

use super::Hint::{self, Other, Same};

pub(super) const HINTS: &[(&str, Hint)] = &[
    ("limit", Same("max", "10", "concurrent calls")),
    ("concurrency", Same("max", "10", "concurrent calls")),
    ("max_concurrency", Same("max", "10", "concurrent calls")),
    ("max_concurrent", Same("max", "10", "concurrent calls")),
    ("max_concurrent_calls", Same("max", "10", "concurrent calls")),
    ("max_thread_pool_size", Same("max", "10", "concurrent calls")),
    ("permits", Same("max", "10", "concurrent calls")),
    ("permit_limit", Same("max", "10", "concurrent calls")),
    ("value", Same("max", "10", "concurrent calls")),
    ("capacity", Other("write `max = 10` for running calls, `queue = 20` for waiting calls")),
    ("max_capacity", Other("write `max = 10` for running calls, `queue = 20` for waiting calls")),
    ("max_queue", Same("queue", "20", "calls that may wait")),
    ("queue_limit", Same("queue", "20", "calls that may wait")),
    ("queue_size", Same("queue", "20", "calls that may wait")),
    ("queue_capacity", Same("queue", "20", "calls that may wait")),
    ("waiting_task_queue", Same("queue", "20", "calls that may wait")),
    ("max_wait", Same("wait", "\"100ms\"", "the longest wait of a call")),
    ("max_wait_duration", Same("wait", "\"100ms\"", "the longest wait of a call")),
    ("timeout", Same("wait", "\"100ms\"", "the longest wait of a call")),
    ("shared", Other("write `bulkhead = &SHARED`")),
];
