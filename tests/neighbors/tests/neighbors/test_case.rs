//! `#[test_case]`: works above and below.

use std::cell::Cell;

use resilience::retry;
use test_case::test_case;

use crate::count;

thread_local!(static CALLS: Cell<u32> = const { Cell::new(0) });

#[test_case("abc", 3)]
#[test_case("", 0; "empty")]
#[retry(attempts = 3, base_delay = "1ms")]
fn above(text: &str, length: usize) -> Result<(), String> {
    assert_eq!(text.len(), length);
    if CALLS.with(count).is_multiple_of(3) { Ok(()) } else { Err("flaky".into()) }
}

#[retry(attempts = 3, base_delay = "1ms")]
#[test_case("abc", 3)]
fn below(text: &str, length: usize) -> Result<(), String> {
    assert_eq!(text.len(), length);
    if CALLS.with(count).is_multiple_of(3) { Ok(()) } else { Err("flaky".into()) }
}
