//! Wakes the task that publishes the decisions of shared breakers to other processes.

use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{
    AtomicBool, AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed,
};
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The number of notifications so far.
static NOTIFICATIONS: AtomicU64 = AtomicU64::new(0);
static WAITERS: Mutex<Vec<Waker>> = Mutex::new(Vec::new());
static HAS_LISTENER: AtomicBool = AtomicBool::new(false);

fn waiters() -> MutexGuard<'static, Vec<Waker>> {
    WAITERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes all waiters: a shared breaker has decided, or was called for the first time.
pub(super) fn notify() {
    NOTIFICATIONS.fetch_add(1, AcqRel);
    let woken = core::mem::take(&mut *waiters());
    // A waker runs foreign code, so no lock is held here.
    woken.into_iter().for_each(Waker::wake);
}

/// Returns whether a task has ever listened.
pub(super) fn has_listener() -> bool {
    HAS_LISTENER.load(Relaxed)
}

/// A future that is ready once a shared breaker of this process decides something, or is called
/// for the first time, after the creation of the future.
#[derive(Debug)]
#[must_use]
pub struct Notified {
    seen: u64,
}

impl Notified {
    /// Starts to listen.
    #[expect(clippy::new_without_default, reason = "the value depends on the time of the call")]
    pub fn new() -> Self {
        HAS_LISTENER.store(true, Relaxed);
        Self { seen: NOTIFICATIONS.load(Acquire) }
    }
}

impl Future for Notified {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut waiters = waiters();
        if NOTIFICATIONS.load(Acquire) != self.seen {
            return Poll::Ready(());
        }
        // The waker of a dropped future stays until the next notification. No task is added twice.
        if !waiters.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiters.push(cx.waker().clone());
        }
        Poll::Pending
    }
}
