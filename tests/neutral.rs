//! Behavior with and without the feature `tokio`: CI runs this file both ways.

use std::cell::Cell;
use std::time::{Duration, Instant};

use resilience::{Bulkhead, RateLimiter, retry, testing};

#[retry(attempts = 3, backoff = "fixed", base_delay = "2ms")]
async fn fail(calls: &Cell<u32>) -> Result<(), u32> {
    calls.set(calls.get() + 1);
    Err(calls.get())
}

#[test]
fn waits_on_any_executor() {
    let (start, calls) = (Instant::now(), Cell::new(0));
    assert_eq!(futures::executor::block_on(fail(&calls)), Err(3));
    assert!(start.elapsed() >= Duration::from_millis(4));
}

#[test]
fn under_tokio() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let (start, calls) = (Instant::now(), Cell::new(0));
    assert_eq!(runtime.expect("a runtime").block_on(fail(&calls)), Err(3));
    assert!(start.elapsed() >= Duration::from_millis(4));
}

#[test]
fn waits_under_the_virtual_clock() {
    let clock = testing::clock();
    assert_eq!(futures::executor::block_on(fail(&Cell::new(0))), Err(3));
    assert_eq!(clock.elapsed(), Duration::from_millis(4));
}

#[test]
fn limits_on_any_executor() {
    let (start, wait) = (Instant::now(), Duration::from_millis(4));
    let limiter = RateLimiter::new(1, wait).wait(wait);
    let bulkhead = Bulkhead::new(1).wait(wait);
    futures::executor::block_on(async {
        assert_eq!(limiter.run_async(async { Some(1) }).await, Some(1));
        assert_eq!(limiter.run_async(async { Some(2) }).await, Some(2));
        assert!(start.elapsed() >= wait);
        let _all = bulkhead.acquire().await;
        assert_eq!(bulkhead.run_async(async { Some(3) }).await, None);
        assert!(start.elapsed() >= 2 * wait);
    });
}
