//! Retries: the [`RetryPolicy`], and the engine that decides after each attempt.

mod attempt;
mod figures;
mod policy;
mod run;
mod state;

pub use attempt::Attempt;
pub use figures::counted;
pub use policy::RetryPolicy;
pub use run::Retry;

pub use state::{CallContext, RetryState};
