//! `#[rstest]`: works above and below. The `#[timeout]` of rstest stays a helper of rstest.

use std::cell::Cell;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use resilience::{retry, testing};
use rstest::rstest;

use crate::count;

thread_local!(static CALLS: Cell<u32> = const { Cell::new(0) });

#[rstest]
#[case("abc", 3)]
#[case("", 0)]
#[retry(attempts = 3, base_delay = "1ms")]
fn above(#[case] text: &str, #[case] length: usize) -> Result<(), String> {
    assert_eq!(text.len(), length);
    if CALLS.with(count).is_multiple_of(3) { Ok(()) } else { Err("flaky".into()) }
}

#[retry(attempts = 3, base_delay = "1ms")]
#[rstest]
#[case("abc", 3)]
fn below(#[case] text: &str, #[case] length: usize) -> Result<(), String> {
    assert_eq!(text.len(), length);
    if CALLS.with(count).is_multiple_of(3) { Ok(()) } else { Err("flaky".into()) }
}

/// Succeeds at the third call. The `#[timeout]` of rstest runs each attempt in a new thread.
fn flaky(calls: &AtomicU32) -> Result<(), String> {
    if calls.fetch_add(1, Relaxed) == 2 { Ok(()) } else { Err("flaky".into()) }
}

/// The `#[timeout]` takes a `Duration` and works on a sync function, so it is the one of rstest.
#[rstest]
#[timeout(Duration::from_secs(45))]
#[retry(attempts = 3, base_delay = "1ms")]
fn rstest_above_with_its_timeout() -> Result<(), String> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    flaky(&CALLS)
}

#[retry(attempts = 3, base_delay = "1ms")]
#[rstest]
#[timeout(Duration::from_secs(45))]
fn rstest_below_with_its_timeout() -> Result<(), String> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    flaky(&CALLS)
}

#[retry(attempts = 3, base_delay = "1ms")]
#[rstest]
#[timeout(Duration::from_secs(45))]
#[resilience::circuit_breaker(failure_threshold = 100, error = |rejected| rejected.to_string())]
fn rstest_between_with_its_timeout() -> Result<(), String> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    flaky(&CALLS)
}

#[rstest]
#[resilience::timeout("5s", error = |rejected| rejected.to_string())]
#[retry(attempts = 3, base_delay = "1ms")]
#[tokio::test(start_paused = true)]
async fn the_timeout_of_this_library_needs_its_path() -> Result<(), String> {
    if CALLS.with(count).is_multiple_of(3) { Ok(()) } else { Err("flaky".into()) }
}

#[test]
fn a_test_case_is_a_plain_function_with_attempts() {
    let _guard = testing::no_waits();
    CALLS.set(0);
    assert!(below(if CALLS.get() == 0 { "abc" } else { "" }, 3).is_ok());
    assert_eq!(CALLS.get(), 3);
}
