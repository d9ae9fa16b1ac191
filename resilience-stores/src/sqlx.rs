//! SQL databases: classification of the errors of `sqlx`.

use std::io;

use resilience_core::{Effect, FailureClass};

/// Classifies an error of `sqlx`, for `on`: error codes of PostgreSQL, MySQL and SQLite, and
/// errors of the client. The feature `sqlx` knows version 0.9, and `sqlx-08` knows version 0.8.
///
/// A failed transaction must be repeated as a whole: begin and commit the transaction inside the
/// annotated function.
///
/// ```
/// use std::io;
/// use resilience::{FailureClass, Effect};
/// use resilience::stores::sqlx::classify;
///
/// assert_eq!(classify(&sqlx::Error::PoolTimedOut), FailureClass::transient().effect(Effect::NotSent));
/// // A lost COMMIT may have been executed.
/// let lost = sqlx::Error::Io(io::ErrorKind::UnexpectedEof.into());
/// assert_eq!(classify(&lost), FailureClass::transient());
/// assert_eq!(classify(&sqlx::Error::RowNotFound), FailureClass::permanent());
/// ```
#[must_use]
pub fn classify<E: SqlxError>(error: &E) -> FailureClass {
    error.class()
}

/// An `sqlx::Error` of a version with an enabled feature.
#[diagnostic::on_unimplemented(
    message = "`resilience::stores::sqlx` cannot classify `{Self}`",
    label = "needs `SqlxError`",
    note = "for an `sqlx::Error`, enable the feature for its version: `sqlx` for `sqlx` 0.9 and `sqlx-08` for 0.8; `cargo tree -i sqlx` shows the version in use",
    note = "for an error with an `sqlx::Error` as `source`, write `on = |error| resilience::stores::classify_chain(error)`, for `anyhow` and boxed errors with `error.as_ref()`"
)]
pub trait SqlxError: sealed::Sealed {
    /// Returns the class of the error.
    fn class(&self) -> FailureClass;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! versions {
    ($(#[cfg(feature = $feature:literal)] $sqlx:ident, $mysql:literal, [$($mistake:ident)?];)*) => {$(
        #[cfg(feature = $feature)]
        impl sealed::Sealed for ::$sqlx::Error {}

        #[cfg(feature = $feature)]
        impl SqlxError for ::$sqlx::Error {
            fn class(&self) -> FailureClass {
                match self {
                    Self::Database(error) => {
                        #[cfg(feature = $mysql)]
                        if let Some(class) = error
                            .try_downcast_ref::<::$sqlx::mysql::MySqlDatabaseError>()
                            .and_then(|error| mysql(error.number()))
                        {
                            return class;
                        }
                        database(error.code().as_deref())
                    }
                    Self::Io(error) => FailureClass::transient().effect(io(error.kind())),
                    Self::PoolTimedOut => FailureClass::transient().effect(Effect::NotSent),
                    Self::WorkerCrashed => FailureClass::transient(),
                    Self::Configuration(_)
                    | Self::Encode(_)
                    $(| Self::$mistake(_))?
                    | Self::PoolClosed
                    | Self::Tls(_) => FailureClass::permanent().effect(Effect::NotSent),
                    _ => FailureClass::permanent(),
                }
            }
        }
    )*};
}

// The last part names a mistake of the caller that 0.8.0 does not know.
versions! {
    #[cfg(feature = "sqlx")] sqlx, "mysql", [InvalidArgument];
    #[cfg(feature = "sqlx-08")] sqlx_08, "mysql-08", [];
}

/// Returns whether a request may have been sent. Kinds such as `TimedOut` also occur on an open
/// connection with a silent peer, so only the kinds below prove that no request was sent.
fn io(kind: io::ErrorKind) -> Effect {
    match kind {
        // `NotFound`: the socket file of the server does not exist yet.
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Effect::NotSent,
        _ => Effect::Unknown,
    }
}

/// Classifies an error reply of the database by the code.
fn database(code: Option<&str>) -> FailureClass {
    match code {
        Some(code) if code.len() == 5 => sqlstate(code),
        Some(code) => sqlite_code(code).map_or_else(FailureClass::permanent, sqlite),
        None => FailureClass::permanent(),
    }
}

/// Returns the primary code of SQLite: the low byte of an extended code. A code of five characters
/// is an SQLSTATE instead.
pub(crate) fn sqlite_code(code: &str) -> Option<u32> {
    code.parse().ok().filter(|_| code.len() != 5).map(|code: u32| code & 0xff)
}

fn sqlstate(code: &str) -> FailureClass {
    match code {
        // No connection: refused, too many connections, starting up or shutting down.
        "08001" | "08004" | "53300" | "57P03" => FailureClass::transient().effect(Effect::NotSent),
        // Serialization failure, deadlock, lock timeout, statement timeout, a write on a server
        // that has become a replica, or a transaction or session that was idle or open for too
        // long.
        "40001" | "40P01" | "55P03" | "57014" | "25006" | "25P03" | "25P04" | "57P05" => {
            FailureClass::transient().effect(Effect::Refused)
        }
        // The connection was lost, or the server does not know the result; a COMMIT may have been
        // executed.
        "08000" | "08003" | "08006" | "08007" | "08S01" | "40003" | "57P01" | "57P02" => {
            FailureClass::transient()
        }
        _ => FailureClass::permanent(),
    }
}

fn sqlite(code: u32) -> FailureClass {
    match code {
        // SQLITE_BUSY (including 517, a stale WAL snapshot) and SQLITE_LOCKED.
        5 | 6 => FailureClass::transient().effect(Effect::Refused),
        _ => FailureClass::permanent(),
    }
}

/// Classifies by the error numbers of MySQL, because the SQLSTATE is mostly the generic HY000.
#[cfg(any(feature = "mysql", feature = "mysql-08"))]
fn mysql(number: u16) -> Option<FailureClass> {
    match number {
        // Too many connections of the user.
        1203 => Some(FailureClass::transient().effect(Effect::NotSent)),
        // Lock wait timeout, deadlock, a locked row with `NOWAIT`, an interrupted statement, the
        // time limit of a statement (MariaDB: 1969), or a read-only server after a failover.
        1205 | 1213 | 1290 | 1317 | 1836 | 1969 | 3024 | 3572 => {
            Some(FailureClass::transient().effect(Effect::Refused))
        }
        // The connection was closed, killed, or lost during the statement.
        1927 | 2006 | 2013 | 4031 => Some(FailureClass::transient()),
        _ => None,
    }
}
