//! A dropped call drops all attempts, at every await.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use resilience::{Rejected, bulkhead, circuit_breaker, hedge, retry};

use crate::{Log, sleep};

#[derive(Debug)]
enum Error {
    Down,
    Rejected,
}

impl From<Rejected> for Error {
    fn from(_: Rejected) -> Self {
        Self::Rejected
    }
}

#[retry(attempts = 2, base_delay = "5ms")]
#[hedge(after = "10ms", max = 2, idempotent)]
#[circuit_breaker(failure_threshold = 100)]
#[bulkhead(max = 3)]
async fn layered(log: &Log, running: &Cell<i32>) -> Result<(), Error> {
    struct Leave<'c>(&'c Cell<i32>);
    impl Drop for Leave<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1);
        }
    }
    running.set(running.get() + 1);
    let _leave = Leave(running);
    let _ = log.start();
    for _ in 0..8 {
        sleep(4).await;
    }
    if log.starts().len() <= 3 { Err(Error::Down) } else { Ok(()) }
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_at_any_poll_drops_every_attempt_and_returns_every_permit() {
    for polls in 0.. {
        let (log, running) = (Log::new(), Cell::new(0));
        let done = {
            let mut call = pin!(layered(&log, &running));
            let mut left = polls;
            poll_fn(|cx| {
                if left == 0 {
                    return Poll::Ready(false);
                }
                left -= 1;
                call.as_mut().poll(cx).map(|_| true)
            })
            .await
        };
        assert_eq!(running.get(), 0, "after {polls} polls");
        if done {
            assert!(polls > 20, "{polls}");
            break;
        }
    }
    // All permits are free: three attempts run at once.
    let (log, running) = (Log::new(), Cell::new(0));
    let mut call = pin!(layered(&log, &running));
    let early = tokio::time::timeout(std::time::Duration::from_millis(25), call.as_mut()).await;
    assert!(early.is_err());
    assert_eq!(running.get(), 3);
}

#[hedge(after = "10ms", idempotent)]
async fn panics(log: &Log) -> Option<()> {
    let (attempt, _running) = log.start();
    sleep(if attempt == 0 { 1000 } else { 5 }).await;
    assert_eq!(attempt, 0, "a hedge panics");
    Some(())
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_an_attempt_drops_the_others() {
    let log = Log::new();
    let call = std::panic::AssertUnwindSafe(panics(&log));
    assert!(futures::FutureExt::catch_unwind(call).await.is_err());
    assert_eq!(log.ends().len(), 2);
}
