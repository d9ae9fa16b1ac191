//! Statements that PostgreSQL rolls back because of concurrent statements.

use std::borrow::Cow;

use sqlx::error::DatabaseError;

/// The maximum number of times that a step is sent while other processes interfere.
pub(crate) const MAX_ROUNDS: u32 = 8;

/// Returns whether the database has rolled back the statement because of a conflict with a
/// concurrent transaction. The statement may be repeated immediately.
pub(crate) fn is_rolled_back(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    matches!(code.as_ref().map(Cow::as_ref), Some("40001" | "40P01"))
}
