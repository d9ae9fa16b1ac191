//! Dropped futures, panicking bodies, and the process-wide switch.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use resilience::{RetryPolicy, retry, testing};

use crate::{Script, count, ms};

#[tokio::test(start_paused = true)]
async fn a_dropped_future_stops_at_once_and_releases_everything() {
    struct Noted(Rc<Cell<u32>>);
    impl Drop for Noted {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    #[retry(backoff = "fixed", base_delay = "1s", attempts = 9)]
    async fn fail(script: &Script, dropped: Rc<Cell<u32>>, attempt: Duration) -> Result<(), Noted> {
        let noted = Noted(Rc::clone(&dropped));
        let _ = script.fail::<()>();
        tokio::time::sleep(attempt).await;
        Err(noted)
    }
    for (attempt, calls) in [(Duration::ZERO, 3), (ms(10_000), 1)] {
        // Dropped during a delay, and during an attempt.
        let script = Script::new();
        let dropped = Rc::new(Cell::new(0));
        let call = fail(&script, Rc::clone(&dropped), attempt);
        assert!(tokio::time::timeout(ms(2500), call).await.is_err());
        assert_eq!(script.calls(), calls);
        assert_eq!(dropped.get(), u32::try_from(calls).unwrap_or(0), "every error is gone");
        assert_eq!(Rc::strong_count(&dropped), 1, "the arguments are gone");
        tokio::time::sleep(ms(60_000)).await;
        assert_eq!(script.calls(), calls, "nothing goes on behind the back");
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_is_dropped_before_the_wait() {
    #[retry(backoff = "fixed", base_delay = "1s", attempts = 2)]
    async fn fail(held: Rc<()>) -> Result<(), Rc<()>> {
        Err(Rc::clone(&held))
    }
    let held = Rc::new(());
    let mut call = Box::pin(fail(Rc::clone(&held)));
    assert!(futures::poll!(&mut call).is_pending());
    // The argument and the local handle; the failed attempt's error holds no handle.
    assert_eq!(Rc::strong_count(&held), 2);
    assert!(call.await.is_err());
}

#[test]
fn a_panic_unwinds() {
    #[retry]
    fn panics(calls: &Cell<u32>) -> Result<(), ()> {
        count(calls);
        std::panic::panic_any("boom")
    }
    #[retry]
    async fn panics_async(calls: &Cell<u32>) -> Result<(), ()> {
        count(calls);
        std::panic::panic_any("boom")
    }
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let calls = Cell::new(0);
    let sync = catch_unwind(AssertUnwindSafe(|| panics(&calls)));
    let run = || futures::executor::block_on(panics_async(&calls));
    let asynchronous = catch_unwind(AssertUnwindSafe(run));
    std::panic::set_hook(hook);
    for result in [sync, asynchronous] {
        assert_eq!(result.expect_err("it panicked").downcast_ref(), Some(&"boom"));
    }
    assert_eq!(calls.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_task_is_not_retried() {
    // A cancellation token is another predicate.
    #[retry(attempts = 9, on = |()| !cancelled.get())]
    async fn work(cancelled: &Cell<bool>, calls: &Cell<u32>) -> Result<(), ()> {
        if count(calls) == 2 {
            cancelled.set(true);
        }
        Err(())
    }
    let calls = Cell::new(0);
    assert_eq!(work(&Cell::new(false), &calls).await, Err(()));
    assert_eq!(calls.get(), 2);
}

#[test]
fn guards_restore_the_previous_state() {
    let outer = testing::clock();
    {
        let inner = testing::clock();
        inner.advance(ms(5));
        assert_eq!(inner.elapsed(), ms(5));
    }
    assert_eq!(outer.elapsed(), Duration::ZERO);
}

#[test]
fn guards_may_be_dropped_in_any_order() {
    let wait = |policy: RetryPolicy| policy.attempts(2).fixed().run(|| None::<()>);
    let policy = RetryPolicy::new().base_delay(ms(200));
    let mut clock = testing::clock();
    clock.advance(ms(1000));
    clock = testing::clock(); // The first is dropped behind the second.
    assert_eq!((wait(policy), clock.elapsed()), (None, ms(200)));
    let (first, second) = (testing::no_waits(), testing::clock());
    // The innermost guard wins.
    assert_eq!((wait(policy), second.elapsed()), (None, ms(200)));
    drop(first);
    assert_eq!((wait(policy), second.elapsed()), (None, ms(400)));
    drop((testing::draws([0.1]), testing::seed(1)));
    drop((second, clock));
    let start = std::time::Instant::now();
    assert_eq!(wait(policy.base_delay(ms(3))), None);
    assert!(start.elapsed() >= ms(3), "nothing is replaced any more");
}
