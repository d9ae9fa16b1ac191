//! Classification of `sqlx` errors: the tables, and errors of real databases.

#![allow(clippy::incompatible_msrv, reason = "the databases need a later version of Rust")]
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod chain;
mod mysql;
mod postgres;
mod postgres_lost;
#[path = "../servers/mod.rs"]
mod servers;
mod sqlite;
mod table;
mod version_08;

use resilience::stores::sqlx::classify;
use resilience::{Effect, FailureClass};
use sqlx::error::DatabaseError;

/// No request was sent.
const UNSENT: FailureClass = FailureClass::transient().effect(Effect::NotSent);
/// Rejected, or rolled back.
const REFUSED: FailureClass = FailureClass::transient().effect(Effect::Refused);
/// The statement may have been executed.
const LOST: FailureClass = FailureClass::transient();

/// Returns the code of a database error and the class of the error.
fn answer<T: std::fmt::Debug>(result: sqlx::Result<T>) -> (String, FailureClass) {
    let error = result.unwrap_err();
    let code = error.as_database_error().and_then(DatabaseError::code);
    (code.unwrap_or_else(|| panic!("{error:?}")).into_owned(), classify(&error))
}

fn coded(code: &str, class: FailureClass) -> (String, FailureClass) {
    (code.to_owned(), class)
}
