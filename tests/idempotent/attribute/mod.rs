//! `#[idempotent]` on functions.

mod concurrent;
mod crashes;
mod identity;
mod lost_calls;
mod neighbors;
mod outcomes;
mod shapes;
mod steps;

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use resilience::{FailureClass, Rejected, RejectedKind};
use serde::{Deserialize, Serialize};

/// The failures of the bodies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Failure {
    /// The side effect may have been applied.
    Lost,
    /// The side effect was not applied.
    Refused,
    /// The failure is permanent.
    Declined,
    /// The call was rejected.
    #[serde(skip)]
    Rejected(RejectedKind),
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected.kind())
    }
}

/// Classifies a failure, for `on`.
fn classify(failure: &Failure) -> FailureClass {
    match failure {
        Failure::Lost | Failure::Rejected(_) => FailureClass::transient(),
        Failure::Refused => FailureClass::transient().effect(resilience::Effect::NotSent),
        Failure::Declined => FailureClass::permanent(),
    }
}

type Answer = Result<u32, Failure>;

/// Counts the runs of a body.
#[derive(Debug, Default)]
struct Runs(Cell<u32>);

impl Runs {
    fn next(&self) -> u32 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }

    fn count(&self) -> u32 {
        self.0.get()
    }
}

/// Polls a future once and drops the future, like a crash during the call.
fn crash<F: Future>(future: F) {
    let poll = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll.is_pending(), "the future must not be ready");
}

fn rejected_as(kind: RejectedKind) -> Answer {
    Err(Failure::Rejected(kind))
}
