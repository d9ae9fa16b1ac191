//! `#[hedge]` through the public API, in virtual time.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod arguments;
mod budget;
mod by_hand;
mod cancellation;
mod figures;
#[cfg(feature = "idempotent")]
mod idempotent;
mod learned;
mod outcomes;
mod rejections;
mod schedules;
mod timeline;

use std::cell::RefCell;
use std::time::Duration;

use tokio::time::Instant;

/// The starts and the ends of attempts, in milliseconds since the creation.
pub(crate) struct Log {
    origin: Instant,
    started: RefCell<Vec<u128>>,
    dropped: RefCell<Vec<u128>>,
}

impl Log {
    pub(crate) fn new() -> Self {
        let (started, dropped) = (RefCell::default(), RefCell::default());
        Self { origin: Instant::now(), started, dropped }
    }

    pub(crate) fn now(&self) -> u128 {
        self.origin.elapsed().as_millis()
    }

    /// Records the start of an attempt. Returns the number of the attempt, the first is 0, and a
    /// guard that records the end.
    pub(crate) fn start(&self) -> (usize, Running<'_>) {
        self.started.borrow_mut().push(self.now());
        (self.started.borrow().len() - 1, Running(self))
    }

    pub(crate) fn starts(&self) -> Vec<u128> {
        self.started.borrow().clone()
    }

    pub(crate) fn ends(&self) -> Vec<u128> {
        self.dropped.borrow().clone()
    }
}

pub(crate) struct Running<'l>(&'l Log);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.dropped.borrow_mut().push(self.0.now());
    }
}

pub(crate) async fn sleep(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
