//! Wakes the task that synchronizes policies with other processes.

use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{
    AtomicBool, AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed,
};
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The connection between the shared policies of one kind and the task that synchronizes them.
#[derive(Debug)]
pub(crate) struct Notifier {
    /// The number of notifications so far.
    notifications: AtomicU64,
    waiters: Mutex<Vec<Waker>>,
    has_listener: AtomicBool,
}

impl Notifier {
    pub(crate) const fn new() -> Self {
        Self {
            notifications: AtomicU64::new(0),
            waiters: Mutex::new(Vec::new()),
            has_listener: AtomicBool::new(false),
        }
    }

    fn waiters(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all waiters.
    pub(crate) fn notify(&self) {
        self.notifications.fetch_add(1, AcqRel);
        let woken = core::mem::take(&mut *self.waiters());
        // A waker runs foreign code, so no lock is held here.
        woken.into_iter().for_each(Waker::wake);
    }

    /// Returns whether a task has ever listened.
    pub(crate) fn has_listener(&self) -> bool {
        self.has_listener.load(Relaxed)
    }

    /// Starts to listen.
    pub(crate) fn listen(&'static self) -> Notified {
        self.has_listener.store(true, Relaxed);
        Notified { notifier: self, seen: self.notifications.load(Acquire) }
    }
}

/// A future that is ready after the next notification since the creation of the future.
#[derive(Debug)]
#[must_use]
pub struct Notified {
    notifier: &'static Notifier,
    seen: u64,
}

impl Future for Notified {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut waiters = self.notifier.waiters();
        if self.notifier.notifications.load(Acquire) != self.seen {
            return Poll::Ready(());
        }
        // The waker of a dropped future stays until the next notification. No task is added twice.
        if !waiters.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiters.push(cx.waker().clone());
        }
        Poll::Pending
    }
}
