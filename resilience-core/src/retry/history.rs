//! The facts about the earlier attempts of a call.

use core::time::Duration;

use crate::classify::{Effect, FailureClass};
use crate::clock;

/// The last delay, and flags of all earlier failures, in one word: the state of a call stays at
/// three words. The three highest bits are flags. The other bits hold nanoseconds, up to 73 years.
#[derive(Clone, Copy, Debug)]
pub(super) struct AttemptHistory(u64);

/// After an earlier failure the side effect may have been applied.
const AMBIGUOUS: u64 = 1 << 63;
/// The one extra attempt of [`FailureClass::once`] has been used.
const ONCE_USED: u64 = 1 << 62;
/// An earlier attempt was sent, or may have been sent.
const SENT: u64 = 1 << 61;
const FLAGS: u64 = AMBIGUOUS | ONCE_USED | SENT;

impl AttemptHistory {
    /// The history before the first failure.
    pub(super) const NONE: Self = Self(0);

    /// Returns the history after a failure of this class and the delay that follows.
    pub(super) fn after(self, class: FailureClass, delay: Duration) -> Self {
        let effect = match class.effect {
            Effect::NotSent => 0,
            Effect::Refused => SENT,
            Effect::Unknown | Effect::Applied => SENT | AMBIGUOUS,
        };
        let once_used = if class.is_once { ONCE_USED } else { 0 };
        Self(self.0 & FLAGS | effect | once_used | clock::nanos(delay).min(!FLAGS))
    }

    /// Returns the last delay; meaningless before the first failure.
    pub(super) const fn delay(self) -> Duration {
        Duration::from_nanos(self.0 & !FLAGS)
    }

    /// Returns whether the side effect of an earlier attempt may have been applied.
    pub(super) const fn is_ambiguous(self) -> bool {
        self.0 & AMBIGUOUS != 0
    }

    /// Returns the effect of all earlier attempts together.
    pub(super) const fn effect(self) -> Effect {
        match (self.is_ambiguous(), self.0 & SENT != 0) {
            (true, _) => Effect::Unknown,
            (false, true) => Effect::Refused,
            (false, false) => Effect::NotSent,
        }
    }

    /// Returns whether a failure of this class has used up its one extra attempt.
    pub(super) const fn is_used_up(self, class: FailureClass) -> bool {
        class.is_once && self.0 & ONCE_USED != 0
    }
}
