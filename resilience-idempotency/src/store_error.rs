//! The errors of a store.

use core::fmt;
use std::error::Error;

/// A boxed error, the source of a [`StoreError`].
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The result of a step of a store.
pub type StoreResult<T> = Result<T, StoreError>;

/// A failed step of a store.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<BoxError>,
}

/// The kind of a [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store did not answer, or not in time. The step may have been applied.
    Unavailable,
    /// The store has no room for another record, or for the bytes of an outcome. The other steps
    /// on its records still succeed.
    Full,
    /// The store returned a record or a reply that cannot be read.
    Corrupt,
}

impl StoreError {
    /// Creates an error without a source.
    #[must_use]
    pub const fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    pub(super) fn with(kind: StoreErrorKind, source: impl Into<BoxError>) -> Self {
        Self { kind, source: Some(source.into()) }
    }

    /// Creates an error of kind [`Unavailable`](StoreErrorKind::Unavailable).
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self::with(StoreErrorKind::Unavailable, source)
    }

    /// Creates an error of kind [`Full`](StoreErrorKind::Full).
    pub fn full(source: impl Into<BoxError>) -> Self {
        Self::with(StoreErrorKind::Full, source)
    }

    /// Creates an error of kind [`Corrupt`](StoreErrorKind::Corrupt).
    pub fn corrupt(source: impl Into<BoxError>) -> Self {
        Self::with(StoreErrorKind::Corrupt, source)
    }

    /// Returns whether the same step may succeed at the next try.
    pub(super) fn is_retryable(&self) -> bool {
        match self.kind {
            StoreErrorKind::Unavailable => true,
            StoreErrorKind::Full | StoreErrorKind::Corrupt => false,
        }
    }

    /// Returns the kind of the error.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::Unavailable => "the idempotency store failed",
            StoreErrorKind::Full => "the idempotency store is full",
            StoreErrorKind::Corrupt => "the idempotency store has an unreadable record",
        })
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
