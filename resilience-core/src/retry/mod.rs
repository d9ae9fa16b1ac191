//! Retries: the [`RetryPolicy`], and the engine that decides after each attempt.

mod attempt;
mod decision;
mod figures;
mod history;
mod live;
mod policy;
mod run;
mod state;

pub use self::attempt::Attempt;
pub use self::figures::counted;
pub use self::policy::RetryPolicy;
pub use self::run::Retry;
pub use self::state::{CallContext, RetryState};
