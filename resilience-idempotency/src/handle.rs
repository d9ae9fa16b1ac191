//! What `store = …` may name, and the handle that it becomes.
//!
//! The handle is a parameter of each trait, and each trait has an implementation for nobody beside the one that
//! counts. So the compiler does not guess the handle of what is no store, and says once, where it is written, what
//! is wrong with it.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use crate::forwarded::{DynStore, StaticStore, forwarded};
use crate::key::{RecordKey, Secret};
use crate::store::{
    BlockingStore, Capabilities, Claim, ClaimRequest, Interrupted, Store, StoreId, Token,
    WriteOutcome,
};
use crate::store_error::StoreResult;
use crate::transaction::TxStore;

/// What no type is.
pub trait Impossible {}

/// The handle of what is no store.
#[derive(Debug)]
pub struct Nobody;

/// A handle of a store, of which every call has a clone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no handle of a store for `#[idempotent]`",
    label = "needs `resilience::idempotent::Store` and `Clone`",
    note = "a store in a field is behind an `Arc`, or an `Arc<dyn resilience::idempotent::DynStore>`: `store = self.store`; one in a `static` stands as it is: `store = STORE`"
)]
pub trait Held<H> {
    /// The handle.
    fn handle(&self) -> H;
}

#[diagnostic::do_not_recommend]
impl<S: Store + Clone> Held<S> for S {
    fn handle(&self) -> S {
        self.clone()
    }
}

#[diagnostic::do_not_recommend]
impl<S: Store + Clone> Held<S> for &S {
    fn handle(&self) -> S {
        S::clone(self)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Impossible> Held<Nobody> for S {
    fn handle(&self) -> Nobody {
        Nobody
    }
}

/// A store as it is named. Its own method wins over that of [`Handles`].
#[derive(Debug)]
pub struct Named<'s, S>(pub &'s S);

impl Named<'_, Arc<dyn DynStore>> {
    /// The handle, for one call.
    #[inline]
    #[must_use]
    pub fn handle(&self) -> Shared {
        Shared(Arc::clone(self.0))
    }
}

impl Named<'_, &Arc<dyn DynStore>> {
    /// The handle, for one call.
    #[inline]
    #[must_use]
    pub fn handle(&self) -> Shared {
        Shared(Arc::clone(self.0))
    }
}

/// Every other store.
pub trait Handles<S> {
    /// The handle, for one call.
    fn handle<H: Store + Clone>(&self) -> H
    where
        S: Held<H>;
}

impl<S> Handles<S> for Named<'_, S> {
    #[inline]
    fn handle<H: Store + Clone>(&self) -> H
    where
        S: Held<H>,
    {
        self.0.handle()
    }
}

/// A store as a trait object.
///
/// A type of its own for the reason that [`Static`] is one: its lifetime is not to be forgotten.
#[derive(Clone)]
pub struct Shared(Arc<dyn DynStore>);

impl Store for Shared {
    forwarded!(self => self.0);

    fn secret(&self) -> Secret {
        self.0.dyn_secret()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// A handle of a store that is in the database of a transaction.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot take part in a transaction of type `{Tx}`",
    label = "needs to be a store in the database of the transaction",
    note = "`transaction = tx` names a transaction, or the connection that it is on, as `&mut`; a store that can be in it has `resilience::idempotent::TxStore<{Tx}>`"
)]
pub trait InDatabase<Tx: ?Sized, H> {
    /// The handle.
    fn handle(self) -> H;
}

#[diagnostic::do_not_recommend]
impl<S: TxStore<Tx>, Tx: ?Sized> InDatabase<Tx, S> for S {
    fn handle(self) -> S {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<S: Impossible, Tx: ?Sized> InDatabase<Tx, Nobody> for S {
    fn handle(self) -> Nobody {
        Nobody
    }
}

/// The handle of a store for a call in a transaction.
#[inline]
#[must_use]
pub fn in_database<Tx: ?Sized, S: InDatabase<Tx, H>, H: Store + Clone>(_: &Tx, store: S) -> H {
    store.handle()
}

/// The same for a function that is not async.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the store of a function that is not async",
    label = "needs `resilience::idempotent::BlockingStore` and `Clone`",
    note = "a store that has to wait for something needs an `async` function; the memory store, which is there without `store`, does not"
)]
pub trait HeldBlocking<H> {
    /// The handle.
    fn handle(&self) -> H;
}

#[diagnostic::do_not_recommend]
impl<S: BlockingStore + Clone> HeldBlocking<S> for S {
    fn handle(&self) -> S {
        self.clone()
    }
}

#[diagnostic::do_not_recommend]
impl<S: BlockingStore + Clone> HeldBlocking<S> for &S {
    fn handle(&self) -> S {
        S::clone(self)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Impossible> HeldBlocking<Nobody> for S {
    fn handle(&self) -> Nobody {
        Nobody
    }
}

/// The handle of a store, for one call.
#[inline]
#[must_use]
pub fn handle_blocking<S: HeldBlocking<H>, H: BlockingStore + Clone>(store: &S) -> H {
    store.handle()
}

/// A store in a `static`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no store for `#[idempotent]`",
    label = "needs `resilience::idempotent::Store`",
    note = "of a `LazyLock` take what is in it: `store = *STORE`"
)]
pub trait Fixed<H> {
    /// The handle.
    fn handle(&'static self) -> H;
}

#[diagnostic::do_not_recommend]
impl<S: Store> Fixed<StaticStore<S>> for S {
    fn handle(&'static self) -> StaticStore<S> {
        StaticStore(self)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Impossible> Fixed<Nobody> for S {
    fn handle(&'static self) -> Nobody {
        Nobody
    }
}

/// The handle of a store in a `static`.
#[inline]
#[must_use]
pub fn fixed<S: Fixed<H>, H: Store + Clone>(store: &'static S) -> H {
    store.handle()
}

/// The same for a function that is not async.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the store of a function that is not async",
    label = "needs `resilience::idempotent::BlockingStore`",
    note = "a store that has to wait for something needs an `async` function; the memory store, which is there without `store`, does not"
)]
pub trait FixedBlocking<H> {
    /// The handle.
    fn handle(&'static self) -> H;
}

#[diagnostic::do_not_recommend]
impl<S: BlockingStore> FixedBlocking<StaticStore<S>> for S {
    fn handle(&'static self) -> StaticStore<S> {
        StaticStore(self)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Impossible> FixedBlocking<Nobody> for S {
    fn handle(&'static self) -> Nobody {
        Nobody
    }
}

/// The handle of a store in a `static`.
#[inline]
#[must_use]
pub fn fixed_blocking<S: FixedBlocking<H>, H: BlockingStore + Clone>(store: &'static S) -> H {
    store.handle()
}
