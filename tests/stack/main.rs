//! Attributes on top of one another: the top one is outermost, and what one turns away is known to
//! those outside it.
#![allow(
    clippy::items_after_statements,
    clippy::unwrap_used,
    reason = "functions under test stand where they are called, and a test may panic"
)]

mod orders;
mod rejections;
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
