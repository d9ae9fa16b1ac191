//! The guarantees of `#[retry]`, through the public API and under virtual time.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod arguments;
mod attempts;
mod bind;
mod budget;
mod by_hand;
mod cancellation;
mod carry;
mod classes;
mod classification;
mod clock;
mod deadline;
mod error_sink;
mod events;
mod exhausted;
mod formulas;
mod initial_delay;
mod rejections;
mod schedule;
mod waits_for_rejections;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use tokio::time::Instant;

/// A body that fails and records the times of the calls.
#[derive(Debug)]
struct Script {
    start: Instant,
    calls: RefCell<Vec<Duration>>,
}

impl Script {
    fn new() -> Self {
        Self { start: Instant::now(), calls: RefCell::default() }
    }

    fn fail<T>(&self) -> Result<T, &'static str> {
        self.calls.borrow_mut().push(self.start.elapsed());
        Err("down")
    }

    /// Returns the delays between the calls.
    fn waits(&self) -> Vec<Duration> {
        self.calls.borrow().windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect()
    }

    fn calls(&self) -> usize {
        self.calls.borrow().len()
    }
}

/// Counts up and returns the number of this call.
fn count(calls: &Cell<u32>) -> u32 {
    calls.set(calls.get() + 1);
    calls.get()
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
