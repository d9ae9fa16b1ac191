//! The interface for generated code. Not covered by semantic versioning.

use crate::call::IdempotentCall;
use crate::codec::Fingerprinted;
pub use crate::codec::{KeepNothing, KeepOk, KeepOkAndPermanent, keep_with};
use crate::context::IdempotencyContext;
pub use crate::dyn_store::StaticStore;
pub use crate::fingerprint::FingerprintBuilder;
pub use crate::into_store::{handle, handle_blocking, in_database};
use crate::key::{KeyError, KeyWriter};
pub use crate::key::{KeyParts, Scope};
use crate::log;
use crate::memory::MemoryStore;
pub use crate::policy::{IdempotencyPolicy, OnInterrupted, OnLeaseLost, OnStoreError, OnUnsaved};
pub use crate::run::{PinnedBody, Reconciled, not_reconciled, run, run_async};
use crate::store::Store;
pub use crate::transaction::{ClaimedIn, claim_in};
use resilience_core::__internal::resolve;
use resilience_core::{IdempotencyRejection, Rejected};

/// Returns the memory store, the default of a function without `store`.
#[inline]
#[must_use]
pub fn memory() -> StaticStore<MemoryStore> {
    static MEMORY: MemoryStore = MemoryStore::new();
    StaticStore(resolve(&MEMORY))
}

/// Returns the policy of an annotated function.
///
/// # Panics
/// Panics if the policy breaks a rule. In a constant the panic is a compile error at the user's
/// token.
#[track_caller]
pub const fn check(policy: IdempotencyPolicy) -> IdempotencyPolicy {
    if let Err(broken) = policy.validate() {
        panic!("{}", broken.message());
    }
    policy
}

/// A call, or `None` if the call has no key and the function allows that.
type Call<S> = Result<Option<IdempotentCall<S>>, Rejected>;

/// Creates the call of an annotated function.
///
/// # Errors
/// [`Rejected`] if the key is missing or invalid.
pub fn call<S: Store + Clone>(
    policy: &IdempotencyPolicy,
    store: S,
    scope: Scope<'_>,
    key: &dyn KeyParts,
    fingerprint: impl FnOnce(FingerprintBuilder) -> FingerprintBuilder,
) -> Call<S> {
    policy.call(store, scope, key, fingerprint).map(Some)
}

/// Creates the call of an annotated function whose key is optional.
///
/// # Errors
/// [`Rejected`] if the key is invalid.
pub fn optional<S: Store + Clone>(
    policy: &IdempotencyPolicy,
    store: S,
    scope: Scope<'_>,
    key: &dyn KeyParts,
    fingerprint: impl FnOnce(FingerprintBuilder) -> FingerprintBuilder,
) -> Call<S> {
    match policy.call_or_key_error(store, scope, key, fingerprint) {
        Ok(call) => Ok(Some(call)),
        Err(KeyError::Missing) => Ok(None),
        Err(error) => Err(policy.reject_key(error)),
    }
}

/// Creates the call of an annotated function that is a step of the current call. The step uses the
/// key of the current call.
///
/// # Errors
/// [`MissingKey`](IdempotencyRejection::MissingKey) outside of an idempotent call.
pub fn step<S: Store + Clone>(
    policy: &IdempotencyPolicy,
    store: S,
    step: &'static str,
    fingerprint: impl FnOnce(FingerprintBuilder) -> FingerprintBuilder,
) -> Call<S> {
    let Some(parent) = IdempotencyContext::current() else {
        let reason = IdempotencyRejection::MissingKey;
        let rejected = policy.rejected(reason).because(NoParent);
        log::key_rejected(policy, reason);
        return Err(rejected);
    };
    let key = StepName(step);
    let mut call = policy.call(store, Scope::Parent(&parent.key()), &key, fingerprint)?;
    call.scope_key = parent.scope_key();
    Ok(Some(call))
}

/// The key of a step. The name is a text of the program, so the rules for keys of callers, such as
/// `min_key_length`, do not apply.
struct StepName(&'static str);

impl KeyParts for StepName {
    fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
        key.bytes(self.0.as_bytes());
        Ok(())
    }
}

/// Adds an argument to the fingerprint.
#[inline]
#[must_use]
pub fn add_argument<T: Fingerprinted + ?Sized>(
    fingerprint: FingerprintBuilder,
    value: &T,
) -> FingerprintBuilder {
    fingerprint.value(value)
}

/// A step outside of an idempotent call.
#[derive(Clone, Copy, Debug)]
struct NoParent;

impl core::fmt::Display for NoParent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a `step` needs an idempotent call around it, to take its key")
    }
}

impl core::error::Error for NoParent {}
