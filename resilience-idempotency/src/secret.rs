//! A store with a secret of the user's.

use core::time::Duration;

use crate::forwarded::forwarded;
use crate::key::{RecordKey, Secret};
use crate::store::{
    BlockingStore, Capabilities, Claim, ClaimRequest, Interrupted, Store, StoreId, Token,
    WriteOutcome,
};
use crate::store_error::StoreResult;

/// A store whose keys are hashed with a secret.
///
/// ```
///
/// use std::sync::Arc;
/// use resilience::idempotent::{MemoryStore, Secret, WithSecret};
///
/// # let from_the_settings = [7; 32];
/// let secret = Secret::new(from_the_settings).namespace("payments");
/// let store = WithSecret::new(Arc::new(MemoryStore::new()), secret);
/// ```
#[derive(Clone, Debug)]
pub struct WithSecret<S> {
    store: S,
    secret: Secret,
}

impl<S: Store> WithSecret<S> {
    /// This store, with this secret.
    #[must_use]
    pub const fn new(store: S, secret: Secret) -> Self {
        Self { store, secret }
    }
}

impl<S: Store> Store for WithSecret<S> {
    forwarded!(self => self.store);

    fn secret(&self) -> Secret {
        self.secret.clone()
    }
}

impl<S: BlockingStore> BlockingStore for WithSecret<S> {}
