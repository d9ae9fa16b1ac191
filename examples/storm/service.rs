//! A service with a queue: slow, still, and recovered.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::scenario::Scenario;

/// The time of a request apart from the queue and the work.
const TRAVEL: Duration = Duration::from_millis(20);

/// Executes one request after the other. A request whose caller has left is executed as well.
#[derive(Debug)]
pub(crate) struct Service {
    start: Instant,
    /// The end of the last request in the queue.
    free: Cell<Instant>,
    work: Duration,
    slow: (Instant, Instant),
    still: (Instant, Instant),
    /// The requests that arrived in each second.
    arrived: RefCell<Vec<u32>>,
}

impl Service {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let start = Instant::now();
        let [slow, still, recovered] =
            [Scenario::BEFORE, scenario.standstill(), scenario.recovery()].map(|time| start + time);
        Self {
            start,
            free: Cell::new(start),
            work: Duration::from_secs(1) / scenario.capacity,
            slow: (slow, still),
            still: (still, recovered),
            arrived: RefCell::default(),
        }
    }

    /// Returns the answer as soon as the queue has reached the request.
    pub(crate) async fn request(&self) {
        let now = Instant::now();
        self.count(now);
        let end = self.end(self.free.get().max(now));
        self.free.set(end);
        sleep_until(end + TRAVEL).await;
    }

    /// Returns the end of a request that starts at `start`.
    fn end(&self, start: Instant) -> Instant {
        let is_within = |(from, to): (Instant, Instant)| (from..to).contains(&start);
        if is_within(self.still) {
            return self.still.1 + self.work;
        }
        if !is_within(self.slow) {
            return start + self.work;
        }
        let end = start + self.work.div_f64(Scenario::SLOW);
        // A request that the standstill interrupts ends after the standstill.
        if end < self.still.0 { end } else { self.still.1 + self.work }
    }

    fn count(&self, now: Instant) {
        let second = usize::try_from((now - self.start).as_secs()).unwrap_or(usize::MAX);
        let mut arrived = self.arrived.borrow_mut();
        if arrived.len() <= second {
            arrived.resize(second + 1, 0);
        }
        arrived[second] += 1;
    }

    /// Returns the requests that arrived in each second.
    pub(crate) fn arrived(&self) -> Vec<u32> {
        self.arrived.borrow().clone()
    }
}
