//! Calling again: what [`RetryPolicy`] allows, and the engine that decides after each attempt.

mod policy;
mod run;
mod state;

pub use policy::RetryPolicy;
pub use run::Retry;

pub use state::{RetryState, Terms};
