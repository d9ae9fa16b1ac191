//! Every row of the classification tables, without a database.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::{fmt, io};

use resilience::stores::sqlx::classify;
use resilience::{Effect, FailureClass};
use sqlx::Error;
use sqlx::error::{DatabaseError, ErrorKind};

use crate::{LOST, REFUSED, UNSENT};

const PERMANENT: FailureClass = FailureClass::permanent();

/// A database error with this code.
#[derive(Debug)]
pub(crate) struct Coded(pub(crate) Option<&'static str>);

impl fmt::Display for Coded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl StdError for Coded {}

impl DatabaseError for Coded {
    fn message(&self) -> &'static str {
        "no"
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        self.0.map(Cow::Borrowed)
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

/// The expected class of each SQLSTATE.
pub(crate) const STATES: [(&str, FailureClass); 28] = [
    ("40001", REFUSED),
    ("40P01", REFUSED),
    ("55P03", REFUSED),
    ("57014", REFUSED),
    ("25006", REFUSED),
    ("25P03", REFUSED),
    ("25P04", REFUSED),
    ("57P05", REFUSED),
    ("08001", UNSENT),
    ("08004", UNSENT),
    ("53300", UNSENT),
    ("57P03", UNSENT),
    ("08000", LOST),
    ("08003", LOST),
    ("08006", LOST),
    ("08007", LOST),
    ("08S01", LOST),
    ("40003", LOST),
    ("57P01", LOST),
    ("57P02", LOST),
    ("53100", PERMANENT),
    ("23502", PERMANENT),
    ("23503", PERMANENT),
    ("23505", PERMANENT),
    ("23514", PERMANENT),
    ("42P01", PERMANENT),
    ("22012", PERMANENT),
    ("00005", PERMANENT),
];

#[test]
fn sqlstates() {
    for (code, class) in STATES {
        assert_eq!(classify(&Error::from(Coded(Some(code)))), class, "{code}");
    }
    assert_eq!(classify(&Error::from(Coded(None))), PERMANENT);
    assert_eq!(classify(&Error::from(Coded(Some("")))), PERMANENT);
}

#[test]
fn sqlite_codes() {
    for (code, class) in [
        ("5", REFUSED),   // BUSY
        ("6", REFUSED),   // LOCKED
        ("261", REFUSED), // BUSY_RECOVERY
        ("262", REFUSED), // LOCKED_SHAREDCACHE
        ("517", REFUSED), // BUSY_SNAPSHOT
        ("773", REFUSED), // BUSY_TIMEOUT
        ("1", PERMANENT),
        ("8", PERMANENT),    // READONLY
        ("10", PERMANENT),   // IOERR
        ("1034", PERMANENT), // IOERR_FSYNC
        ("13", PERMANENT),   // FULL
        ("19", PERMANENT),   // CONSTRAINT
        ("2067", PERMANENT), // CONSTRAINT_UNIQUE
        ("-5", PERMANENT),
    ] {
        assert_eq!(classify(&Error::from(Coded(Some(code)))), class, "{code}");
    }
}

#[test]
fn client_errors() {
    let unsent = PERMANENT.effect(Effect::NotSent);
    for (error, class) in [
        (Error::PoolTimedOut, UNSENT),
        (Error::WorkerCrashed, LOST),
        (Error::Tls("no".into()), unsent),
        (Error::PoolClosed, unsent),
        (Error::Configuration("no".into()), unsent),
        (Error::Encode("no".into()), unsent),
        (Error::InvalidArgument("no".into()), unsent),
        (Error::Decode("no".into()), PERMANENT),
        (Error::ColumnDecode { index: "a".into(), source: "no".into() }, PERMANENT),
        (Error::ColumnNotFound("a".into()), PERMANENT),
        (Error::ColumnIndexOutOfBounds { index: 1, len: 1 }, PERMANENT),
        (Error::TypeNotFound { type_name: "a".into() }, PERMANENT),
        (Error::RowNotFound, PERMANENT),
        (Error::Protocol("no".into()), PERMANENT),
        (Error::BeginFailed, PERMANENT),
    ] {
        assert_eq!(classify(&error), class, "{error:?}");
    }
}

#[test]
fn io_errors() {
    for (kind, class) in [
        (io::ErrorKind::ConnectionRefused, UNSENT),
        (io::ErrorKind::NotFound, UNSENT),
        (io::ErrorKind::ConnectionReset, LOST),
        (io::ErrorKind::ConnectionAborted, LOST),
        (io::ErrorKind::BrokenPipe, LOST),
        (io::ErrorKind::UnexpectedEof, LOST),
        (io::ErrorKind::TimedOut, LOST),
        (io::ErrorKind::HostUnreachable, LOST),
        (io::ErrorKind::Other, LOST),
    ] {
        assert_eq!(classify(&Error::Io(kind.into())), class, "{kind}");
    }
}
