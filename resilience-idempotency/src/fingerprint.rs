//! The fingerprint of a call: a hash of its arguments.
//!
//! Arguments are hashed through `serde`, so the value counts and not its representation in memory.
//! The order of map entries and struct fields, the width of a number and the sign of a zero make
//! no difference. The borders between values do, and so does the order of the items of a list.
//! `serde` does not tell a set from a list, so equal `HashSet`s have different fingerprints.

use core::fmt;

use serde::Serialize;

use crate::canonical::CanonicalSerializer;
use crate::digest::Digest;
use crate::key::{Fingerprint, KeyError};
use crate::secret::Secret;

/// A builder of a [`Fingerprint`].
#[derive(Clone)]
pub struct FingerprintBuilder {
    digest: Digest,
    has_failed: bool,
}

impl FingerprintBuilder {
    /// Creates a fingerprint without values, for calls of `function`.
    #[must_use]
    pub fn new(secret: &Secret, function: &str) -> Self {
        let mut digest = secret.hasher("idem.fingerprint.v1");
        digest.field(function.as_bytes());
        Self { digest, has_failed: false }
    }

    /// Adds a value.
    ///
    /// The order of the items of a list counts. A `HashSet` is a list in a random order to `serde`:
    /// pass a `BTreeSet` or a sorted list, because otherwise a repeated call is rejected with
    /// [`KeyReused`](resilience_core::IdempotencyRejection::KeyReused).
    #[must_use]
    pub fn value(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        self.has_failed |= value.serialize(CanonicalSerializer(&mut self.digest)).is_err();
        self
    }

    /// Adds bytes, such as the body of a request.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.digest.field(bytes);
        self
    }

    /// Returns the fingerprint of all added values.
    ///
    /// # Errors
    /// [`KeyError::Fingerprint`] if a value failed to serialize.
    pub fn finish(&self) -> Result<Fingerprint, KeyError> {
        if self.has_failed {
            return Err(KeyError::Fingerprint);
        }
        Ok(Fingerprint(self.digest.finish()))
    }
}

impl fmt::Debug for FingerprintBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FingerprintBuilder").finish_non_exhaustive()
    }
}
