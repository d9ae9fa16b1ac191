//! Why a store could not do what it was asked.

use core::fmt;
use std::error::Error;

/// A source of trouble, of whichever kind.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What a store answers.
pub type StoreResult<T> = Result<T, StoreError>;

/// Why a store could not do what it was asked.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<BoxError>,
}

/// What kind of trouble a store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It did not answer, or not in time: the step may have been applied.
    Unavailable,
    /// It has no room for another record. Those it has still work.
    Full,
    /// It answered with something that is none of the answers.
    Corrupt,
}

impl StoreError {
    /// Trouble of this kind.
    #[must_use]
    pub const fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// No answer, for this reason.
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self { kind: StoreErrorKind::Unavailable, source: Some(source.into()) }
    }

    /// No room, for this reason.
    pub fn full(source: impl Into<BoxError>) -> Self {
        Self { kind: StoreErrorKind::Full, source: Some(source.into()) }
    }

    /// An answer that makes no sense, for this reason.
    pub fn corrupt(source: impl Into<BoxError>) -> Self {
        Self { kind: StoreErrorKind::Corrupt, source: Some(source.into()) }
    }

    /// Whether the same step may be answered the next time.
    pub(super) fn may_pass(&self) -> bool {
        self.kind == StoreErrorKind::Unavailable
    }

    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::Unavailable => "the idempotency store has failed",
            StoreErrorKind::Full => "the idempotency store is full",
            StoreErrorKind::Corrupt => "the idempotency store has a record that cannot be read",
        })
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
