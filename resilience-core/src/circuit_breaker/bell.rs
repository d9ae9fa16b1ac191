//! Wakes those who carry news of breakers to other processes.

use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{
    AtomicBool, AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed,
};
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};

static RUNG: AtomicU64 = AtomicU64::new(0);
static LISTENERS: Mutex<Vec<Waker>> = Mutex::new(Vec::new());
static IS_HEARD: AtomicBool = AtomicBool::new(false);

fn listeners() -> MutexGuard<'static, Vec<Waker>> {
    LISTENERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// There is news.
pub(super) fn ring() {
    RUNG.fetch_add(1, AcqRel);
    let woken = core::mem::take(&mut *listeners());
    // A waker is somebody else's code: no lock is held.
    woken.into_iter().for_each(Waker::wake);
}

/// Whether anybody has ever listened.
pub(super) fn is_heard() -> bool {
    IS_HEARD.load(Relaxed)
}

/// Ready when a shared breaker has decided something, or was called for the first time, since this was
/// made.
#[derive(Debug)]
#[must_use]
pub struct Bell {
    heard: u64,
}

impl Bell {
    /// Listens from now on.
    #[expect(clippy::new_without_default, reason = "it depends on when it is made")]
    pub fn new() -> Self {
        IS_HEARD.store(true, Relaxed);
        Self { heard: RUNG.load(Acquire) }
    }
}

impl Future for Bell {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut listeners = listeners();
        if RUNG.load(Acquire) != self.heard {
            return Poll::Ready(());
        }
        // One that has stopped listening stays until the next news, and no task is in it twice.
        if !listeners.iter().any(|waker| waker.will_wake(cx.waker())) {
            listeners.push(cx.waker().clone());
        }
        Poll::Pending
    }
}
