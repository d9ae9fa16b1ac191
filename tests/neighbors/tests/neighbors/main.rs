//! Each row of the table of attributes of other crates in `docs/ordering.md`: a test for each place
//! that works. The places that do not compile are `compile_fail` examples in `lib.rs`.
#![allow(clippy::needless_pass_by_value, reason = "each attempt borrows an owned argument")]

mod async_recursion;
mod cached;
mod culpa;
mod fastrace;
mod imported_test;
mod maybe_async;
mod mockall;
mod rstest;
mod sqlx;
mod test_case;
mod trait_variant;

use std::cell::Cell;

use resilience::testing;

/// Counts up and returns the number of this call.
fn count(calls: &Cell<u32>) -> u32 {
    calls.set(calls.get() + 1);
    calls.get()
}

/// Runs a future without waits.
fn run<F: Future>(future: F) -> F::Output {
    let _guard = testing::no_waits();
    futures::executor::block_on(future)
}
