//! What a breaker shares with those of other processes: the decisions that it comes to, for whoever
//! carries them there, and theirs, which it follows. Calls know nothing of it.

use core::time::Duration;

use super::machine::Cause;
use super::{CircuitBreaker, CircuitState};
use crate::clock;
use crate::sync::lock;

/// What outcomes have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is open, for so much longer.
    Open(Duration),
    /// A probe has closed it.
    Closed,
}

/// A decision that was made in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// Tells it from those before it.
    pub generation: u32,
    /// The decision.
    pub decision: Decision,
}

#[doc(hidden)]
impl CircuitBreaker {
    /// The name under which it is shared.
    #[must_use]
    pub const fn shared_name(&self) -> Option<&'static str> {
        self.settings.shared
    }

    /// Where it stands, if that was decided by the outcomes of this process.
    #[must_use]
    pub fn news(&self) -> Option<News> {
        let machine = lock(&self.machine);
        if machine.cause != Cause::Outcomes {
            return None;
        }
        let decision = match machine.state {
            CircuitState::Open => {
                Decision::Open(machine.until.map(|until| until.since(clock::now()))?)
            }
            CircuitState::Closed => Decision::Closed,
            _ => return None,
        };
        Some(News { generation: machine.generation, decision })
    }

    /// Follows a decision that was made elsewhere; `false` where there is news here that is not known
    /// elsewhere, because it is not that of the generation `told`, and has to be told first.
    ///
    /// It is open for the longer of two times. What was set by hand stays as it is.
    pub fn follow(&self, decision: Decision, told: Option<u32>) -> bool {
        self.change(|machine| {
            if machine.cause == Cause::Outcomes && told != Some(machine.generation) {
                return false;
            }
            machine.follow(decision, clock::now());
            true
        })
    }
}
