//! An outcome for several calls, with the facts that the layers above a call need beside the value.

use core::time::Duration;

use crate::attempt_scope;
use crate::clock::now;
use crate::context::execution_facts::{self, ExecutionFacts};
use crate::context::executions::ExecutionId;
use crate::lost_attempt;
use crate::rejection_signal::{RejectionSignal, SignalState};
use crate::stale_age;

/// The outcome of an execution, with its facts.
pub(super) struct Shared<O> {
    pub(super) outcome: O,
    facts: Facts,
}

struct Facts {
    /// The rejection by a layer inside.
    rejection: Option<SignalState>,
    /// For how long a circuit below rejects every call.
    open_for: Duration,
    execution: ExecutionFacts,
}

impl<O> Shared<O> {
    /// Adds the facts of the execution, on the thread of the leader.
    pub(super) fn new(
        outcome: O,
        execution: ExecutionId,
        signal: Option<&RejectionSignal>,
    ) -> Self {
        let facts = Facts {
            rejection: signal.map(RejectionSignal::state),
            open_for: attempt_scope::open_for(),
            execution: execution_facts::take(execution),
        };
        Self { outcome, facts }
    }

    /// Reports the facts to the layers above a follower, on the thread of the follower.
    pub(super) fn report(&self, signal: Option<&RejectionSignal>) {
        let Facts { rejection, open_for, execution } = &self.facts;
        if let (Some(signal), Some(rejection)) = (signal, rejection) {
            signal.take_state(*rejection);
        }
        if !open_for.is_zero() {
            attempt_scope::report_open(*open_for);
        }
        if let Some(oldest) = execution.oldest_value {
            stale_age::note(now().since(oldest));
        }
        if execution.has_lost_attempt {
            lost_attempt::report();
        }
    }
}
