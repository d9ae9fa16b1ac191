//! The interface for generated code. Not covered by semantic versioning.

use crate::call::IdempotentCall;
use crate::codec::Fingerprinted;
pub use crate::codec::{KeepNothing, KeepOk, KeepOkAndPermanent, KeepWith};
use crate::context::IdempotencyContext;
pub use crate::fingerprint::FingerprintBuilder;
use crate::forwarded::StaticStore;
pub use crate::handle::{Handles, Named, fixed, fixed_blocking, handle_blocking, in_database};
pub use crate::key::{KeyParts, Scope};
use crate::key_fault::KeyError;
pub use crate::lent::PinnedBody;
use crate::log;
use crate::memory::MemoryStore;
pub use crate::policy::{IdempotencyPolicy, OnInterrupted, OnLeaseLost, OnStoreError, OnUnsaved};
pub use crate::run::{Reconciled, not_reconciled, run, run_async};
use crate::store::Store;
pub use crate::transaction::{ClaimedIn, claim_in};
use resilience_core::__internal::resolve;
use resilience_core::{IdempotencyRejection, Rejected, RejectedKind};

/// The store of a function without one.
#[inline]
#[must_use]
pub fn memory() -> StaticStore<MemoryStore> {
    static MEMORY: MemoryStore = MemoryStore::new();
    StaticStore(resolve(&MEMORY))
}

/// Returns the policy of an annotated function.
///
/// # Panics
/// In a constant, where the policy breaks a rule: a compile error at the user's token.
#[track_caller]
pub const fn check(policy: IdempotencyPolicy) -> IdempotencyPolicy {
    if let Err(broken) = policy.validate() {
        panic!("{}", broken.message());
    }
    policy
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
/// [`MissingKey`](IdempotencyRejection::MissingKey) outside of any call.
pub fn step<S: Store + Clone>(
    policy: &IdempotencyPolicy,
    store: S,
    step: &'static str,
    about: impl FnOnce(FingerprintBuilder) -> FingerprintBuilder,
) -> Call<S> {
    let Some(parent) = IdempotencyContext::current() else {
        let rejected = Rejected::new(
            RejectedKind::Idempotency(IdempotencyRejection::MissingKey),
            policy.name,
            None,
        )
        .because(NoParent);
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
