//! The attempt, as the body of a function sees it.

use core::time::Duration;

use super::history::AttemptHistory;
use crate::clock::{self, Timestamp};

/// The current attempt: the local variable that `bind = attempt` declares in the body of a
/// function.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    pub(super) number: u32,
    pub(super) attempts: Option<u32>,
    pub(super) history: AttemptHistory,
    pub(super) started: Option<Timestamp>,
}

impl Attempt {
    /// Returns the number of the attempt; 1 is the first.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Returns the delay before the attempt; `None` for the first.
    #[must_use]
    pub const fn previous_delay(&self) -> Option<Duration> {
        if self.number > 1 { Some(self.history.delay()) } else { None }
    }

    /// Returns whether the side effect of an earlier attempt may have been applied: the attempt
    /// failed with [`Effect::Unknown`] or [`Effect::Applied`]. An apparent conflict may then be
    /// the work of the earlier attempt: a DELETE without a match, a failed `If-Match`, an existing
    /// row.
    ///
    /// An unclassified error counts as [`Effect::Unknown`], so the result is `true` after such an
    /// error.
    ///
    /// [`Effect::Unknown`]: crate::Effect::Unknown
    /// [`Effect::Applied`]: crate::Effect::Applied
    #[must_use]
    pub const fn after_ambiguous(&self) -> bool {
        self.history.is_ambiguous()
    }

    /// Returns the time since the call, or, without a `deadline`, since the first failure. Reads
    /// the clock.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.map_or(Duration::ZERO, |started| clock::now().since(started))
    }

    /// Returns whether the attempt is the last by number. An earlier attempt may be the last by
    /// time.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        match self.attempts {
            Some(attempts) => self.number >= attempts,
            None => false,
        }
    }
}
