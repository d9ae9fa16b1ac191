//! Synchronization between processes: publishes local open and close decisions and applies remote
//! decisions. Calls never wait for another process.

use core::time::Duration;

use super::definition::Defined;
use super::machine::Origin;
use super::{CircuitBreaker, CircuitState};
use crate::clock;
use crate::sync::lock;

/// A decision to open or to close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitDecision {
    /// Open, for this long from now on.
    Open(Duration),
    /// Closed after successful trial calls.
    Closed,
}

/// A decision of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalDecision {
    /// Distinguishes the decision from earlier ones.
    pub generation: u32,
    /// The decision.
    pub decision: CircuitDecision,
}

#[doc(hidden)]
impl<D: Defined> CircuitBreaker<D> {
    /// Returns the name shared with the breakers of other processes.
    #[must_use]
    pub fn shared_name(&self) -> Option<&'static str> {
        self.view().definition.settings.shared
    }

    /// Returns the longest open time that the settings allow.
    #[must_use]
    pub fn longest_open_time(&self) -> Duration {
        self.view().current().longest_open_time()
    }

    /// Returns the state of the breaker, if the calls of this process decided it.
    #[must_use]
    pub fn local_decision(&self) -> Option<LocalDecision> {
        let machine = lock(&self.state.machine);
        if machine.origin != Origin::LocalCalls {
            return None;
        }
        let decision = match machine.state {
            CircuitState::Open => {
                CircuitDecision::Open(machine.until.map(|until| until.since(clock::now()))?)
            }
            CircuitState::Closed => CircuitDecision::Closed,
            _ => return None,
        };
        Some(LocalDecision { generation: machine.generation, decision })
    }

    /// Applies a decision of another process. Returns `false`, and changes nothing, while a local
    /// decision is unpublished; `published` is the generation of the last published decision.
    ///
    /// An open breaker stays open for the longer of the two times. Manual states stay as they are.
    pub fn apply_remote(&self, decision: CircuitDecision, published: Option<u32>) -> bool {
        let settings = self.view().current();
        self.view().change(|machine| {
            if machine.origin == Origin::LocalCalls && published != Some(machine.generation) {
                return false;
            }
            machine.apply_remote(&settings, decision, clock::now());
            true
        })
    }
}
