//! Errors of `sqlx`.

use std::io;

use resilience_core::{Effect, FailureClass};
use sqlx::Error;
use sqlx::error::DatabaseError;

/// What an error of `sqlx` means, for `on`: the codes of PostgreSQL, MySQL and SQLite, and what the
/// client itself met.
///
/// A transaction that failed is repeated as a whole: the function that has the attribute begins it and
/// commits it.
///
/// ```
/// # extern crate resilience_core as resilience;
/// use std::io;
/// use resilience::{FailureClass, Effect};
/// use resilience_stores::sqlx::classify;
///
/// assert_eq!(classify(&sqlx::Error::PoolTimedOut), FailureClass::transient().effect(Effect::NotSent));
/// // Had it been a COMMIT, nobody knows whether it was executed.
/// let lost = sqlx::Error::Io(io::ErrorKind::UnexpectedEof.into());
/// assert_eq!(classify(&lost), FailureClass::transient());
/// assert_eq!(classify(&sqlx::Error::RowNotFound), FailureClass::permanent());
/// ```
#[must_use]
pub fn classify(error: &Error) -> FailureClass {
    match error {
        Error::Database(error) => database(error.as_ref()),
        Error::Io(error) => FailureClass::transient().effect(io(error.kind())),
        Error::PoolTimedOut => FailureClass::transient().effect(Effect::NotSent),
        Error::WorkerCrashed => FailureClass::transient(),
        Error::Configuration(_)
        | Error::Encode(_)
        | Error::InvalidArgument(_)
        | Error::PoolClosed
        | Error::Tls(_) => FailureClass::permanent().effect(Effect::NotSent),
        _ => FailureClass::permanent(),
    }
}

/// Whether anything can have gone out. The other kinds that sound like it are met on an open connection
/// as well: it is how a system tells that a peer has gone silent.
fn io(kind: io::ErrorKind) -> Effect {
    match kind {
        // No file: the server's socket is not there yet.
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Effect::NotSent,
        _ => Effect::Unknown,
    }
}

/// What the database answered.
fn database(error: &dyn DatabaseError) -> FailureClass {
    #[cfg(feature = "mysql")]
    if let Some(class) = mysql(error) {
        return class;
    }
    match error.code() {
        Some(code) if code.len() == 5 => sqlstate(&code),
        Some(code) => sqlite_code(&code).map_or_else(FailureClass::permanent, sqlite),
        None => FailureClass::permanent(),
    }
}

/// What a code of SQLite says, which is shorter than an SQLSTATE: the low byte. The rest says how it came to it.
pub(crate) fn sqlite_code(code: &str) -> Option<u32> {
    code.parse().ok().filter(|_| code.len() != 5).map(|code: u32| code & 0xff)
}

fn sqlstate(code: &str) -> FailureClass {
    match code {
        // No connection was made: refused, too many, starting up or shutting down.
        "08001" | "08004" | "53300" | "57P03" => FailureClass::transient().effect(Effect::NotSent),
        // Lost to another transaction, waited too long for a lock, took too long, or a writer that has
        // become a replica.
        "40001" | "40P01" | "55P03" | "57014" | "25006" => {
            FailureClass::transient().effect(Effect::Refused)
        }
        // The connection is gone, and perhaps a COMMIT with it.
        "08000" | "08003" | "08006" | "08007" | "57P01" | "57P02" => FailureClass::transient(),
        _ => FailureClass::permanent(),
    }
}

fn sqlite(code: u32) -> FailureClass {
    match code {
        // Busy (a stale snapshot of a WAL, 517, among it), and locked.
        5 | 6 => FailureClass::transient().effect(Effect::Refused),
        _ => FailureClass::permanent(),
    }
}

/// The numbers that say more than their SQLSTATE, which is mostly HY000.
#[cfg(feature = "mysql")]
fn mysql(error: &dyn DatabaseError) -> Option<FailureClass> {
    match error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()?.number() {
        // Waited too long for a lock, or lost to another transaction.
        1205 | 1213 => Some(FailureClass::transient().effect(Effect::Refused)),
        // The server has gone away, or was lost during the statement.
        2006 | 2013 => Some(FailureClass::transient()),
        _ => None,
    }
}
