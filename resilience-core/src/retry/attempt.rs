//! What a body can know of the attempt that it is.

use core::time::Duration;

use super::state::AttemptHistory;
use crate::clock::{self, Timestamp};

/// The attempt that is running: the local that `bind = attempt` names in the body of a function.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    pub(super) number: u32,
    pub(super) attempts: Option<u32>,
    pub(super) history: AttemptHistory,
    pub(super) started: Option<Timestamp>,
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
        if self.number > 1 { Some(self.history.delay()) } else { None }
    }

    /// Whether an earlier attempt of the same call may have been applied: it failed with
    /// [`Effect::Unknown`] or [`Effect::Applied`]. What then looks like a conflict may be its work: a DELETE that finds
    /// nothing, an `If-Match` that does not match, a row that exists already.
    ///
    /// An error that nobody has classified leaves it open, so after one this is `true`.
    ///
    /// [`Effect::Unknown`]: crate::Effect::Unknown
    /// [`Effect::Applied`]: crate::Effect::Applied
    #[must_use]
    pub const fn after_ambiguous(&self) -> bool {
        self.history.is_ambiguous()
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
