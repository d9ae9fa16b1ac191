//! Encrypts the outcomes of a store with AES-256-GCM: a wrapper for any store.
//!
//! The associated data is the key of the record, so an outcome that somebody copies to another
//! record cannot be read. The store still sees hashes, times and the names of functions.
//!
//! Run with `cargo run --features idempotent --example encrypted_store`.

#![allow(clippy::print_stdout, reason = "an example shows its result")]

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aes_gcm::aead::{Aead, Generate, Payload};
use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce};
use resilience::idempotent::{
    BlockingStore, Capabilities, Claim, ClaimRequest, Interrupted, MemoryStore, RecordKey, Secret,
    Store, StoreError, StoreId, StoreResult, Token, WriteOutcome,
};
use resilience::{Rejected, idempotent};

/// A store whose outcomes are encrypted.
///
/// A stored outcome is a random nonce of 12 bytes, the ciphertext, and a tag of 16 bytes. With
/// random nonces, one key may encrypt 2^32 outcomes: rotate the key before.
#[derive(Clone)]
pub(crate) struct Encrypted<S> {
    store: S,
    /// The first key encrypts. Every key decrypts, so that a key can be rotated.
    ciphers: Arc<[Aes256Gcm]>,
}

const NONCE: usize = 12;
const TAG: usize = 16;

impl<S: Store> Encrypted<S> {
    /// Combines a store with the current key, and with earlier keys whose outcomes have not
    /// expired.
    pub(crate) fn new(store: S, current: &[u8; 32], earlier: &[[u8; 32]]) -> Self {
        let keys = [current].into_iter().chain(earlier);
        let ciphers = keys.map(|key| Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key)));
        Self { store, ciphers: ciphers.collect() }
    }

    fn encrypt(&self, key: &RecordKey, outcome: &[u8]) -> StoreResult<Vec<u8>> {
        let nonce = Nonce::generate();
        let payload = Payload { msg: outcome, aad: &key.0 };
        let ciphertext = self.ciphers[0].encrypt(&nonce, payload).map_err(StoreError::corrupt)?;
        Ok([nonce.as_slice(), &ciphertext].concat())
    }

    fn decrypt(&self, key: &RecordKey, stored: &[u8]) -> StoreResult<Arc<[u8]>> {
        let (nonce, msg) = stored
            .split_first_chunk::<NONCE>()
            .ok_or_else(|| StoreError::corrupt("an encrypted outcome without its nonce"))?;
        let nonce = Nonce::from(*nonce);
        let open = |cipher: &Aes256Gcm| cipher.decrypt(&nonce, Payload { msg, aad: &key.0 }).ok();
        self.ciphers.iter().find_map(open).map(Arc::from).ok_or_else(|| {
            StoreError::corrupt("an outcome that belongs to another record or another key")
        })
    }
}

impl<S: Store> Store for Encrypted<S> {
    async fn claim(&self, request: ClaimRequest<'_>) -> StoreResult<Claim> {
        match self.store.claim(request).await? {
            Claim::Replay(stored) => self.decrypt(request.key, &stored).map(Claim::Replay),
            claim => Ok(claim),
        }
    }

    async fn renew(
        &self,
        key: &RecordKey,
        token: Token,
        lease: Duration,
    ) -> StoreResult<WriteOutcome> {
        self.store.renew(key, token, lease).await
    }

    async fn complete(
        &self,
        key: &RecordKey,
        token: Token,
        outcome: &[u8],
        retention: Duration,
    ) -> StoreResult<WriteOutcome> {
        let stored = self.encrypt(key, outcome)?;
        self.store.complete(key, token, &stored, retention).await
    }

    async fn release(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        self.store.release(key, token).await
    }

    async fn abandon(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        self.store.abandon(key, token).await
    }

    async fn changed(&self, key: &RecordKey, hint: Duration) {
        self.store.changed(key, hint).await;
    }

    async fn purge(&self, limit: usize) -> StoreResult<usize> {
        self.store.purge(limit).await
    }

    async fn forget(&self, key: &RecordKey) -> StoreResult<bool> {
        self.store.forget(key).await
    }

    async fn interrupted(&self, limit: usize) -> StoreResult<Vec<Interrupted>> {
        self.store.interrupted(limit).await
    }

    fn caps(&self) -> Capabilities {
        let caps = self.store.caps();
        caps.max_outcome(caps.max_outcome.saturating_sub(NONCE + TAG))
    }

    fn id(&self) -> StoreId {
        self.store.id()
    }

    fn secret(&self) -> Secret {
        self.store.secret()
    }
}

impl<S: BlockingStore> BlockingStore for Encrypted<S> {}

impl<S: fmt::Debug> fmt::Debug for Encrypted<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encrypted").field("store", &self.store).finish_non_exhaustive()
    }
}

struct Cards {
    store: Encrypted<Arc<MemoryStore>>,
}

impl Cards {
    #[idempotent(store = self.store, key = request, scope = tenant, name = "cards.issue")]
    async fn issue(&self, tenant: &str, request: &str) -> Result<String, Rejected> {
        Ok(format!("token of {tenant}: tok_4711"))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Rejected> {
    // Take the key from the secrets of the application, not from the source.
    let records = Arc::new(MemoryStore::new());
    let store = Encrypted::new(Arc::clone(&records), &[7; 32], &[]);
    let cards = Cards { store };
    let first = cards.issue("acme", "request-1").await?;
    let repeated = cards.issue("acme", "request-1").await?;
    assert_eq!(first, repeated);
    println!("issued once, and replayed from an encrypted record: {repeated}");
    Ok(())
}
