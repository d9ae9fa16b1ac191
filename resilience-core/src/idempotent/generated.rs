//! What generated code names, and nothing else may.

use super::call::IdempotentCall;
use super::codec::Fingerprinted;
pub use super::codec::{KeepNothing, KeepOk, KeepOkAndPermanent, KeepWith};
use super::context::Idempotency;
pub use super::fingerprint::FingerprintBuilder;
pub use super::key::{IntoKey, Scope};
use super::memory::MemoryStore;
pub use super::policy::{IdempotencyPolicy, OnInterrupted, OnLeaseLost, OnStoreError, OnUnsaved};
pub use super::run::{Reconciled, not_reconciled, run, run_async};
use super::store::{BlockingStore, Static, Store};
use crate::own::own;
use crate::rejected::{Rejected, RejectedKind};

/// What `store = …` may name: a handle of a store, of which every call has a clone.
///
/// The type of the handle stands behind the trait, so that what is none is one mistake, told where it is written.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no handle of a store for `#[idempotent]`",
    label = "needs `resilience::idempotent::Store` and `Clone`",
    note = "a store in a field is behind an `Arc`, or `Arc<dyn resilience::idempotent::DynStore>`: `store = self.store`; one behind a reference is cloned: `store = store.clone()`; one in a `static` stands as it is: `store = STORE`"
)]
pub trait Held {
    /// The handle.
    type Handle: Store + Clone;

    /// Another one.
    fn held(&self) -> Self::Handle;
}

#[diagnostic::do_not_recommend]
impl<S: Store + Clone> Held for S {
    type Handle = S;

    fn held(&self) -> S {
        self.clone()
    }
}

/// A store in a `static`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no store for `#[idempotent]`",
    label = "needs `resilience::idempotent::Store`",
    note = "of a `LazyLock` take what is in it: `store = *STORE`"
)]
pub trait Fixed: 'static {
    /// The handle.
    type Handle: Store + Clone;

    /// One of them.
    fn fixed(&'static self) -> Self::Handle;
}

#[diagnostic::do_not_recommend]
impl<S: Store> Fixed for S {
    type Handle = Static<S>;

    fn fixed(&'static self) -> Static<S> {
        Static(self)
    }
}

/// A handle of a store that needs no runtime.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the store of a function that is not async",
    label = "has to wait for something",
    note = "make the function `async`, or leave `store` out: the memory store needs no runtime"
)]
pub trait Blocking {
    /// The handle.
    type Handle: BlockingStore + Clone;

    /// The same.
    fn blocking(self) -> Self::Handle;
}

#[diagnostic::do_not_recommend]
impl<S: BlockingStore + Clone> Blocking for S {
    type Handle = S;

    fn blocking(self) -> S {
        self
    }
}

/// The handle of a store, for one call.
#[inline]
#[must_use]
pub fn handle<S: Held>(store: &S) -> S::Handle {
    store.held()
}

/// The handle of a store in a `static`.
#[inline]
#[must_use]
pub fn fixed<S: Fixed>(store: &'static S) -> S::Handle {
    store.fixed()
}

/// The handle of a store for a function that is not async.
#[inline]
#[must_use]
pub fn blocking<S: Blocking>(store: S) -> S::Handle {
    store.blocking()
}

/// The store of a function without one.
#[inline]
#[must_use]
pub fn memory() -> Static<MemoryStore> {
    static MEMORY: MemoryStore = MemoryStore::new();
    Static(own(&MEMORY))
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
    key: &dyn IntoKey,
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
    key: &dyn IntoKey,
    about: impl FnOnce(FingerprintBuilder) -> FingerprintBuilder,
) -> Call<S> {
    match policy.call(store, scope, key, about) {
        Err(rejected) if rejected.kind() == RejectedKind::MissingKey => Ok(None),
        call => call.map(Some),
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
    let Some(parent) = Idempotency::current() else {
        return Err(Rejected::new(RejectedKind::MissingKey, policy.name, None).because(NoParent));
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
