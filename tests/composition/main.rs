//! Several attributes on one function: the top attribute is the outermost layer, and outer layers
//! recognize the rejections of inner layers.
#![allow(
    clippy::items_after_statements,
    clippy::unwrap_used,
    reason = "functions under test are declared at their calls, and a test may panic"
)]

mod open_circuits;
mod orders;
mod rejections;
mod sources;
mod texts;
mod waits;
mod whole;

use resilience::Rejected;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Failure {
    Down,
    Wrong,
    Rejected(Rejected),
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}
