//! A macro of another crate that puts the body of an `async fn` into a block: `use tokio::test`.

use std::cell::Cell;

use resilience::{Rejected, circuit_breaker, retry};
use tokio::test;

use crate::count;

thread_local!(static CALLS: Cell<u32> = const { Cell::new(0) });

/// The name `test` is a macro of tokio here, so the layers exchange no rejections.
#[retry(attempts = 3, base_delay = "1ms")]
#[test(start_paused = true)]
#[circuit_breaker(failure_threshold = 100)]
async fn an_imported_test_attribute_may_stand_between() -> Result<(), Rejected> {
    if CALLS.with(count).is_multiple_of(3) {
        Ok(())
    } else {
        Err(Rejected::timed_out("body", std::time::Duration::ZERO))
    }
}
