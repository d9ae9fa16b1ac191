//! What generated code names, and nothing else may.

use super::call::IdempotentCall;
use super::codec::Fingerprinted;
pub use super::codec::{KeepNothing, KeepOk, KeepOkAndPermanent, KeepWith};
use super::context::IdempotencyContext;
pub use super::fingerprint::FingerprintBuilder;
use super::forwarded::StaticStore;
pub use super::handle::{Handles, Named, fixed, fixed_blocking, handle_blocking, in_database};
pub use super::key::{KeyParts, Scope};
use super::key_fault::KeyError;
pub use super::lent::Lent;
use super::log;
use super::memory::MemoryStore;
pub use super::policy::{IdempotencyPolicy, OnInterrupted, OnLeaseLost, OnStoreError, OnUnsaved};
pub use super::run::{Reconciled, not_reconciled, run, run_async};
use super::store::Store;
pub use super::transaction::{ClaimedIn, claim_in};
use crate::own::own;
use crate::rejected::{Rejected, RejectedKind};

/// The store of a function without one.
#[inline]
#[must_use]
pub fn memory() -> StaticStore<MemoryStore> {
    static MEMORY: MemoryStore = MemoryStore::new();
    StaticStore(own(&MEMORY))
}

/// A call, where there is a key to protect it by.
type Call<S> = Result<Option<IdempotentCall<S>>, Rejected>;

/// A call of an annotated function.
///
/// # Errors
/// What is wrong with the key.
pub fn call<S: Store + Clone>(
    policy: &IdempotencyPolicy,
    store: S,
    scope: Scope<'_>,
    key: &dyn KeyParts,
    about: impl FnOnce(FingerprintBuilder) -> FingerprintBuilder,
) -> Call<S> {
    policy.call(store, scope, key, about).map(Some)
}

/// A call of an annotated function that may come without a key.
///
/// # Errors
/// What is wrong with the key.
pub fn optional<S: Store + Clone>(
    policy: &IdempotencyPolicy,
    store: S,
    scope: Scope<'_>,
    key: &dyn KeyParts,
    about: impl FnOnce(FingerprintBuilder) -> FingerprintBuilder,
) -> Call<S> {
    match policy.call_or_fault(store, scope, key, about) {
        Ok(call) => Ok(Some(call)),
        Err(KeyError::Missing) => Ok(None),
        Err(fault) => Err(policy.refuse(fault)),
    }
}

/// A call of an annotated function that is a step of the call around it, whose key it takes on.
///
/// # Errors
/// [`MissingKey`](RejectedKind::MissingKey) outside of any call.
pub fn step<S: Store + Clone>(
    policy: &IdempotencyPolicy,
    store: S,
    step: &'static str,
    about: impl FnOnce(FingerprintBuilder) -> FingerprintBuilder,
) -> Call<S> {
    let Some(parent) = IdempotencyContext::current() else {
        let rejected = Rejected::new(RejectedKind::MissingKey, policy.name, None).because(NoParent);
        log::refused(&rejected);
        return Err(rejected);
    };
    policy.call(store, Scope::Parent(&parent.key()), &step, about).map(Some)
}

/// Adds an argument to the fingerprint.
#[inline]
#[must_use]
pub fn about<T: Fingerprinted + ?Sized>(
    fingerprint: FingerprintBuilder,
    value: &T,
) -> FingerprintBuilder {
    fingerprint.value(value)
}

/// A step without a call around it.
#[derive(Clone, Copy, Debug)]
struct NoParent;

impl core::fmt::Display for NoParent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a `step` takes the key of the idempotent call around it, and there is none")
    }
}

impl core::error::Error for NoParent {}
