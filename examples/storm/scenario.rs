//! The times and sizes of a storm.

use std::time::Duration;

/// The settings of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scenario {
    /// Callers. Each starts a call per second.
    pub(crate) clients: u32,
    /// Requests per second that the service executes at full speed.
    pub(crate) capacity: u32,
    /// The time in which the service is slow and then stands still, half of the time each.
    pub(crate) outage: Duration,
    /// The seed of the random draws.
    pub(crate) seed: u64,
}

impl Default for Scenario {
    fn default() -> Self {
        Self { clients: 300, capacity: 400, outage: Duration::from_secs(20), seed: 1 }
    }
}

impl Scenario {
    /// The outage starts after this time.
    pub(crate) const BEFORE: Duration = Duration::from_secs(10);
    /// The time after the outage.
    pub(crate) const AFTER: Duration = Duration::from_secs(60);
    /// The speed of the slow service.
    pub(crate) const SLOW: f64 = 0.1;

    /// The service stands still from here on.
    pub(crate) fn standstill(&self) -> Duration {
        Self::BEFORE + self.outage / 2
    }

    /// The service has its full speed again.
    pub(crate) fn recovery(&self) -> Duration {
        Self::BEFORE + self.outage
    }

    /// The last calls start before this time.
    pub(crate) fn end(&self) -> Duration {
        self.recovery() + Self::AFTER
    }
}
