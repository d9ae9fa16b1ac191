//! What the attempts before have left behind.

use core::time::Duration;

use crate::classify::FailureClass;
use crate::clock;

/// The wait before the attempt that runs, and what any failure before it has said: one word, so that the
/// state of a call stays at three. The two highest bits are flags; the others hold nanoseconds, enough for
/// 146 years.
#[derive(Clone, Copy, Debug)]
pub(super) struct Past(u64);

/// A failure left open whether the call was applied, or said that it was.
const AMBIGUOUS: u64 = 1 << 63;
/// A failure that is worth one more attempt has had it.
const SPENT: u64 = 1 << 62;
const FLAGS: u64 = AMBIGUOUS | SPENT;

impl Past {
    /// Before the first failure.
    pub(super) const NONE: Self = Self(0);

    /// What is known after a failure of this class and the wait that follows it.
    pub(super) fn after(self, class: FailureClass, delay: Duration) -> Self {
        let ambiguous = if class.effect.is_not_applied() { 0 } else { AMBIGUOUS };
        let spent = if class.is_once { SPENT } else { 0 };
        Self(self.0 & FLAGS | ambiguous | spent | clock::nanos(delay).min(!FLAGS))
    }

    /// The delay waited last; meaningless before the first failure.
    pub(super) const fn delay(self) -> Duration {
        Duration::from_nanos(self.0 & !FLAGS)
    }

    /// Whether a failure before left open that the call was applied.
    pub(super) const fn is_ambiguous(self) -> bool {
        self.0 & AMBIGUOUS != 0
    }

    /// Whether the one attempt more that a failure of this class is worth has been made.
    pub(super) const fn is_spent_for(self, class: FailureClass) -> bool {
        class.is_once && self.0 & SPENT != 0
    }
}
