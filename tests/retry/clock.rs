//! One clock for sync and async code, under any executor.

use std::cell::Cell;
use std::time::{Duration, Instant};

use resilience::{retry, testing};

use crate::{count, ms};

#[test]
fn sync_waits_block_the_thread() {
    #[retry(attempts = 2, backoff = "fixed", base_delay = "3ms")]
    fn fail() -> Result<(), ()> {
        Err(())
    }
    let start = Instant::now();
    assert_eq!(fail(), Err(()));
    assert!(start.elapsed() >= ms(3));
}

#[test]
fn async_waits_need_no_tokio() {
    #[retry(attempts = 3, backoff = "fixed", base_delay = "2ms")]
    async fn fail(calls: &Cell<u32>) -> Result<(), ()> {
        count(calls);
        Err(())
    }
    let (start, calls) = (Instant::now(), Cell::new(0));
    assert_eq!(futures::executor::block_on(fail(&calls)), Err(()));
    assert!(start.elapsed() >= ms(4));
    assert_eq!(calls.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_blocked_wait_counts_under_a_paused_clock() {
    // The paused clock does not show the thread's wait; the deadline counts the wait anyway.
    #[retry(attempts = 100, backoff = "fixed", base_delay = "1ms", deadline = "5ms")]
    fn fail(calls: &Cell<u32>) -> Result<(), ()> {
        count(calls);
        Err(())
    }
    let calls = Cell::new(0);
    assert_eq!(fail(&calls), Err(()));
    assert_eq!(calls.get(), 5);
}

#[test]
fn the_virtual_clock_covers_async_code() {
    #[retry(attempts = 3, backoff = "fixed", base_delay = "1h")]
    async fn fail() -> Result<(), ()> {
        Err(())
    }
    let clock = testing::clock();
    assert_eq!(futures::executor::block_on(fail()), Err(()));
    assert_eq!(clock.elapsed(), Duration::from_secs(7200));
}

#[tokio::test(start_paused = true)]
async fn an_immediate_retry_yields_to_other_tasks() {
    #[retry(attempts = "unlimited", backoff = "fixed", base_delay = "0s")]
    async fn spin(done: &Cell<bool>) -> Result<(), ()> {
        if done.get() { Ok(()) } else { Err(()) }
    }
    let done = Cell::new(false);
    let other = async {
        tokio::task::yield_now().await;
        done.set(true);
    };
    assert_eq!(tokio::join!(spin(&done), other).0, Ok(()));
}
