//! What errors of `sqlx` mean: the tables, and errors of real databases.

#![allow(clippy::unwrap_used, reason = "a panic is what a test is for")]

mod chain;
mod mysql;
mod postgres;
mod postgres_lost;
#[path = "../servers/mod.rs"]
mod servers;
mod sqlite;
mod table;

use resilience::stores::sqlx::classify;
use resilience::{Effect, FailureClass};
use sqlx::error::DatabaseError;

/// Nothing went out.
const UNSENT: FailureClass = FailureClass::transient().effect(Effect::NotSent);
/// Turned away, or rolled back.
const REFUSED: FailureClass = FailureClass::transient().effect(Effect::Refused);
/// Nobody knows.
const LOST: FailureClass = FailureClass::transient();

/// The code of a database's error, and what it means.
fn answer<T: std::fmt::Debug>(result: sqlx::Result<T>) -> (String, FailureClass) {
    let error = result.unwrap_err();
    let code = error.as_database_error().and_then(DatabaseError::code);
    (code.unwrap_or_else(|| panic!("{error:?}")).into_owned(), classify(&error))
}

fn coded(code: &str, class: FailureClass) -> (String, FailureClass) {
    (code.to_owned(), class)
}
