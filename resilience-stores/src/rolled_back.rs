//! Statements that PostgreSQL rolls back because of concurrent statements.

use std::borrow::Cow;

use sqlx::error::DatabaseError;

/// The maximum number of times that a step is sent while other processes interfere.
pub(crate) const MAX_ROUNDS: u32 = 8;

/// An error of a step.
pub(crate) trait StepError {
    /// Returns whether the database has rolled back the step because of a conflict with a
    /// concurrent transaction. The step may be repeated immediately.
    fn is_rolled_back(&self) -> bool;
}

impl StepError for sqlx::Error {
    fn is_rolled_back(&self) -> bool {
        let code = self.as_database_error().and_then(DatabaseError::code);
        matches!(code.as_ref().map(Cow::as_ref), Some("40001" | "40P01"))
    }
}

/// Executes a step, and repeats the step after a rollback.
macro_rules! retry_rollback {
    ($step:expr) => {{
        let mut answer = $step;
        for _ in 1..crate::rolled_back::MAX_ROUNDS {
            if !answer.as_ref().is_err_and(crate::rolled_back::StepError::is_rolled_back) {
                break;
            }
            answer = $step;
        }
        answer
    }};
}
pub(crate) use retry_rollback;
