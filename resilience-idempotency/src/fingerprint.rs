//! What a call is about, as a hash of its arguments.
//!
//! Through `serde`, so that what counts is the value and not its memory: the order of a map's entries and of
//! a struct's fields, the width of a number and the sign of a zero make no difference; where one value ends
//! and the next begins does.

use core::fmt;

use serde::Serialize;

use crate::canonical::Writer;
use crate::key::{Digest, Fingerprint, Secret};
use crate::key_fault::KeyError;

/// Makes a [`Fingerprint`] of values.
#[derive(Clone)]
pub struct FingerprintBuilder {
    digest: Digest,
    refused: bool,
}

impl FingerprintBuilder {
    /// A fingerprint of nothing yet, for calls of this function.
    #[must_use]
    pub fn new(secret: &Secret, function: &str) -> Self {
        let mut digest = secret.hasher("idem.fingerprint.v1");
        digest.field(function.as_bytes());
        Self { digest, refused: false }
    }

    /// Adds a value.
    #[must_use]
    pub fn value(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        self.refused |= value.serialize(Writer(&mut self.digest)).is_err();
        self
    }

    /// Adds bytes, such as those of a request's body.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.digest.field(bytes);
        self
    }

    /// The fingerprint of all that was added.
    ///
    /// # Errors
    /// [`KeyError::Fingerprint`] where a value could not be serialized: what it is about is not known then.
    pub fn end(&self) -> Result<Fingerprint, KeyError> {
        if self.refused { Err(KeyError::Fingerprint) } else { Ok(Fingerprint(self.digest.end())) }
    }
}

impl fmt::Debug for FingerprintBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FingerprintBuilder").finish_non_exhaustive()
    }
}
