//! The context of a call: deadlines and retries that cross functions, in virtual time.
#![allow(
    clippy::items_after_statements,
    clippy::unwrap_used,
    reason = "functions under test stand where they are called, and a test may panic"
)]

mod by_hand;
mod deadlines;
mod nested;
mod priorities;
mod restored;
mod sources;
mod tasks;

use std::time::Duration;

use resilience::Rejected;

const MS: fn(u64) -> Duration = Duration::from_millis;
const SECS: fn(u64) -> Duration = Duration::from_secs;

#[derive(Debug, PartialEq)]
enum Failure {
    Down,
    Rejected(Rejected),
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl Failure {
    fn rejected(&self) -> &Rejected {
        match self {
            Self::Rejected(rejected) => rejected,
            Self::Down => panic!("no rejection"),
        }
    }
}
