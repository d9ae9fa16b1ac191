//! Circuit breakers: opening, closing, and recovery from every state.
#![allow(
    clippy::items_after_statements,
    clippy::unwrap_used,
    reason = "functions under test are defined next to their calls, and a test may panic"
)]

mod attribute;
mod cause;
mod control;
mod events;
mod guards;
mod model;
mod nested;
mod neutral;
mod open_time;
mod panics;
mod recovery;
mod running;
mod shadow;
#[cfg(feature = "serde")]
mod snapshots;
mod state_source;
mod states;
mod texts;
mod threads;
#[cfg(feature = "tracing")]
mod traffic;
mod trial_calls;
mod values;
mod windows;

use std::time::Duration;

use resilience::{CircuitBreaker, CircuitState, Rejected, RejectedKind};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Failure {
    Down,
    /// A mistake of the caller.
    Wrong,
    Rejected(Rejected),
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

/// The end of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    Ok,
    Failed,
    /// Rejected, with the time until a retry, if known.
    Rejected(Option<Duration>),
}

pub(crate) fn call(breaker: &CircuitBreaker, outcome: Result<(), Failure>) -> Seen {
    match breaker.on(|error: &Failure| *error == Failure::Down).run(|| outcome) {
        Ok(()) => Seen::Ok,
        Err(Failure::Rejected(rejected)) => {
            assert_eq!(rejected.kind(), RejectedKind::CircuitOpen);
            Seen::Rejected(rejected.retry_after())
        }
        Err(_) => Seen::Failed,
    }
}

pub(crate) fn fail(breaker: &CircuitBreaker, times: u32) {
    for _ in 0..times {
        assert_eq!(call(breaker, Err(Failure::Down)), Seen::Failed);
    }
}

pub(crate) fn succeed(breaker: &CircuitBreaker, times: u32) {
    for _ in 0..times {
        assert_eq!(call(breaker, Ok(())), Seen::Ok);
    }
}

pub(crate) fn is_open(breaker: &CircuitBreaker) -> bool {
    breaker.state() == CircuitState::Open
}
