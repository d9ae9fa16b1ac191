//! What a body can know of the attempt that it is.

use core::time::Duration;

use crate::clock::{self, Moment};

/// The attempt that is running: the local that `bind = attempt` names in the body of a function.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    pub(super) number: u32,
    pub(super) attempts: Option<u32>,
    pub(super) previous: Option<Duration>,
    pub(super) started: Option<Moment>,
}

impl Attempt {
    /// Its number; 1 is the first call.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The wait before it; `None` for the first.
    #[must_use]
    pub const fn previous_delay(&self) -> Option<Duration> {
        self.previous
    }

    /// The time since the call, or, without a `deadline`, since its first failure. Reads the clock.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.map_or(Duration::ZERO, |started| clock::now().since(started))
    }

    /// Whether no further attempt is allowed after it. One that is not the last by number may still
    /// be the last by time.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        match self.attempts {
            Some(attempts) => self.number >= attempts,
            None => false,
        }
    }
}
