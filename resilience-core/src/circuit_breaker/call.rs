//! A call from admission to its end.

use core::time::Duration;

use super::slots::Place;
use super::snapshot::ChangeReason;
use crate::classify::FailureKind;
use crate::clock::Timestamp;

/// An admitted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AdmittedCall {
    pub(super) generation: u32,
    /// The number of the trial call; 0 for other calls.
    pub(super) trial: u32,
    /// The place among the running calls, for a measured call.
    pub(super) place: Place,
}

/// The outcome of a call for the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallOutcome {
    /// The dependency answered: a value, or an error that is no failure of the dependency.
    Success,
    Failure(FailedCall),
    /// Neither: a rejection by an inner layer, a call that was not sent, a cancelled call.
    Neutral,
}

/// A failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FailedCall {
    /// The reason for the change, if the failure opens the breaker.
    pub(super) reason: ChangeReason,
    /// The delay that the dependency asked for.
    pub(super) after: Option<Duration>,
}

impl FailedCall {
    pub(super) const fn of(kind: FailureKind) -> Self {
        Self { reason: ChangeReason::Failure(kind), after: None }
    }

    /// A slow call whose outcome is no failure.
    pub(super) const SLOW: Self = Self { reason: ChangeReason::SlowCalls, after: None };

    /// In place of a failed call: manual control, or changed settings.
    pub(super) const MANUAL: Self = Self { reason: ChangeReason::Manual, after: None };
}

/// The end of an admitted call.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallEnd {
    pub(super) call: AdmittedCall,
    pub(super) outcome: CallOutcome,
    /// The start of the call, if the breaker measures calls.
    pub(super) started: Option<Timestamp>,
}
