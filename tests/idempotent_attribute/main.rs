//! `#[idempotent]` as its users meet it. What it stands on is tested in `tests/idempotent/`.
#![allow(missing_docs, clippy::must_use_candidate, clippy::unused_async, reason = "tests")]

mod concurrent;
mod crashes;
mod identity;
mod neighbours;
mod outcomes;
mod shapes;
mod steps;

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use resilience::{FailureClass, Rejected, RejectedKind};
use serde::{Deserialize, Serialize};

/// What a body can fail with, and what it means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Failure {
    /// Perhaps it was applied.
    Lost,
    /// It was not.
    Refused,
    /// It never will be.
    Declined,
    /// The call was turned away, for this reason.
    #[serde(skip)]
    Turned(RejectedKind),
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Turned(rejected.kind())
    }
}

/// For `on`.
fn meaning(failure: &Failure) -> FailureClass {
    match failure {
        Failure::Lost | Failure::Turned(_) => FailureClass::transient(),
        Failure::Refused => FailureClass::transient().effect(resilience::Effect::NotSent),
        Failure::Declined => FailureClass::permanent(),
    }
}

type Answer = Result<u32, Failure>;

/// Counts its runs, and answers with their number.
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

/// Polls a future once, and drops it: a crash in the middle.
fn crash<F: Future>(future: F) {
    let poll = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll.is_pending(), "it was to be dropped in the middle");
}

fn turned(kind: RejectedKind) -> Answer {
    Err(Failure::Turned(kind))
}
