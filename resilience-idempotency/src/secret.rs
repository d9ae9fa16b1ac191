//! The secret of a store: the key of its hashes, and a namespace.

use core::fmt;
use core::time::Duration;
use std::borrow::Cow;

use crate::digest::Digest;
use crate::dyn_store::forward;
use crate::key::RecordKey;
use crate::store::{
    BlockingStore, Capabilities, Claim, ClaimRequest, Interrupted, Store, StoreId, Token,
    WriteOutcome,
};
use crate::store_error::StoreResult;

/// The secret of the hashes that make record keys and fingerprints.
///
/// The default secret is a public constant. With the default, a reader of the store can test
/// guesses of keys. Keep a secret of your own with your other secrets, and give every process that
/// shares the store the same secret. Records made with another secret are no longer found.
#[derive(Clone)]
pub struct Secret {
    key: [u8; 32],
    namespace: Cow<'static, str>,
}

impl Secret {
    /// Creates a secret from 32 bytes.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key, namespace: Cow::Borrowed("") }
    }

    /// Sets a namespace, to separate the records of applications that share a store.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<Cow<'static, str>>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Returns a keyed hash for `purpose`.
    pub(super) fn hasher(&self, purpose: &str) -> Digest {
        let mut digest = Digest::keyed(&self.key);
        digest.field(purpose.as_bytes());
        digest.field(self.namespace.as_bytes());
        digest
    }
}

/// A public constant, which separates the hashes of this library from other BLAKE3 hashes.
impl Default for Secret {
    fn default() -> Self {
        Self::new(*b"resilience, idempotent, unkeyed.")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

/// A store whose keys are hashed with a [`Secret`].
///
/// ```
/// use std::sync::Arc;
/// use resilience::idempotent::{MemoryStore, Secret, WithSecret};
///
/// # let bytes_from_the_configuration = [7; 32];
/// let secret = Secret::new(bytes_from_the_configuration).namespace("payments");
/// let store = WithSecret::new(Arc::new(MemoryStore::new()), secret);
/// ```
#[derive(Clone, Debug)]
pub struct WithSecret<S> {
    store: S,
    secret: Secret,
}

impl<S: Store> WithSecret<S> {
    /// Combines a store with a secret.
    #[must_use]
    pub const fn new(store: S, secret: Secret) -> Self {
        Self { store, secret }
    }
}

impl<S: Store> Store for WithSecret<S> {
    forward!(self => self.store);

    fn secret(&self) -> Secret {
        self.secret.clone()
    }
}

impl<S: BlockingStore> BlockingStore for WithSecret<S> {}
