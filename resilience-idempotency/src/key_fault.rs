//! What is wrong with a key.

use core::fmt;

/// What is wrong with an idempotency key, or with its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyError {
    /// There is none.
    Missing,
    /// It has no characters.
    Empty,
    /// It is shorter than the least length of this function.
    TooShort,
    /// It is longer than 255 characters.
    TooLong,
    /// It has characters other than visible ASCII.
    NotVisible,
    /// The same of the scope that it belongs to.
    Scope,
    /// An argument could not be serialized, so that it is not known what the call is about.
    Fingerprint,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the idempotency key is missing",
            Self::Empty => "the idempotency key is empty",
            Self::TooShort => "the idempotency key is too short",
            Self::TooLong => "the idempotency key is longer than 255 characters",
            Self::NotVisible => "the idempotency key has characters other than visible ASCII",
            Self::Scope => "the scope of the idempotency key is missing or cannot be one",
            Self::Fingerprint => "an argument cannot be serialized for the fingerprint of the call",
        })
    }
}

impl core::error::Error for KeyError {}
