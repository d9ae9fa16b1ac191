//! Further polls of a call that waits, with and without a deadline for the code inside.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use resilience::{retry, timeout};

use super::breaker::{Failure, Result};

/// A body that never ends.
async fn waits() -> Result<u32> {
    poll_fn(|_| if black_box(true) { Poll::Pending } else { Poll::Ready(Ok(7)) }).await
}

/// Polls a call this many times.
#[inline(always)]
fn polled(calls: u64, call: impl Future<Output = Result<u32>>) {
    let mut call = pin!(call);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..calls {
        assert!(black_box(call.as_mut()).poll(&mut cx).is_pending());
    }
}

pub(super) mod timed {
    use super::{Duration, Failure, Result, polled, timeout, waits};

    pub(crate) fn by_hand(calls: u64) {
        polled(calls, async {
            match tokio::time::timeout(Duration::from_secs(5), async { waits().await }).await {
                Ok(result) => result,
                Err(_) => Err(Failure::Rejected),
            }
        });
    }

    pub(crate) fn annotated(calls: u64) {
        #[timeout("5s")]
        async fn call() -> Result<u32> {
            waits().await
        }
        polled(calls, call());
    }
}

pub(super) mod retried {
    use super::{Result, polled, retry, waits};

    pub(crate) fn by_hand(calls: u64) {
        #[retry(attempts = 4)]
        async fn call() -> Result<u32> {
            waits().await
        }
        polled(calls, call());
    }

    pub(crate) fn annotated(calls: u64) {
        #[retry(attempts = 4, deadline = "5s")]
        async fn call() -> Result<u32> {
            waits().await
        }
        polled(calls, call());
    }
}
