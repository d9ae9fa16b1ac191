//! The conversion of `store = …` in `#[idempotent]` into the handle of a call.
//!
//! A wrong store has to cause exactly one compile error, at the store. Therefore the handle `H` is
//! a type parameter of each trait, and each trait has a second implementation, for the types that
//! implement [`Never`]. The compiler infers no handle for a wrong store, so no error follows from
//! the first.

use crate::store::{BlockingStore, Store};
use crate::transaction::TxStore;

/// A trait without implementations.
pub trait Never {}

/// The handle of a type that is not a store.
#[derive(Debug)]
pub struct NotAStore;

/// A value that `store = …` accepts. The handle `H` is a clone of the value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a store handle for `#[idempotent]`",
    label = "needs `resilience::idempotent::Store` and `Clone`",
    note = "keep a store of a field in an `Arc` or an `Arc<dyn resilience::idempotent::DynStore>`: `store = self.store`",
    note = "name a store in a `static` directly, `store = STORE`, and a store in a `LazyLock` by its content, `store = *STORE`"
)]
pub trait IntoStoreHandle<H> {
    /// Returns the handle for a call.
    fn handle(&self) -> H;
}

#[diagnostic::do_not_recommend]
impl<S: Store + Clone> IntoStoreHandle<S> for S {
    #[inline]
    fn handle(&self) -> S {
        self.clone()
    }
}

#[diagnostic::do_not_recommend]
impl<S: Store + Clone> IntoStoreHandle<S> for &S {
    #[inline]
    fn handle(&self) -> S {
        S::clone(self)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Never> IntoStoreHandle<NotAStore> for S {
    fn handle(&self) -> NotAStore {
        NotAStore
    }
}

/// A value that `store = …` accepts in a function that is not async.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the store of a function that is not async",
    label = "needs `resilience::idempotent::BlockingStore` and `Clone`",
    note = "a store that waits for I/O needs an `async` function; remove `store` to use the memory store, which does not"
)]
pub trait IntoBlockingHandle<H> {
    /// Returns the handle for a call.
    fn handle(&self) -> H;
}

#[diagnostic::do_not_recommend]
impl<S: BlockingStore + Clone> IntoBlockingHandle<S> for S {
    #[inline]
    fn handle(&self) -> S {
        self.clone()
    }
}

#[diagnostic::do_not_recommend]
impl<S: BlockingStore + Clone> IntoBlockingHandle<S> for &S {
    #[inline]
    fn handle(&self) -> S {
        S::clone(self)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Never> IntoBlockingHandle<NotAStore> for S {
    fn handle(&self) -> NotAStore {
        NotAStore
    }
}

/// A store handle that can take part in a transaction `Tx`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot take part in a transaction of type `{Tx}`",
    label = "needs to be a store in the database of the transaction",
    note = "`transaction = tx` names a `&mut` transaction or connection; a store for such a transaction implements `resilience::idempotent::TxStore<{Tx}>`"
)]
pub trait InDatabase<Tx: ?Sized, H> {
    /// Returns the handle.
    fn in_database(self) -> H;
}

#[diagnostic::do_not_recommend]
impl<S: TxStore<Tx>, Tx: ?Sized> InDatabase<Tx, S> for S {
    #[inline]
    fn in_database(self) -> S {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<S: Never, Tx: ?Sized> InDatabase<Tx, NotAStore> for S {
    fn in_database(self) -> NotAStore {
        NotAStore
    }
}

/// Returns the handle of a store for a call of an async function.
#[inline]
#[must_use]
pub fn handle<S, H>(store: &S) -> H
where
    S: IntoStoreHandle<H>,
    H: Store + Clone,
{
    store.handle()
}

/// Returns the handle of a store for a call of a function that is not async.
#[inline]
#[must_use]
pub fn handle_blocking<S, H>(store: &S) -> H
where
    S: IntoBlockingHandle<H>,
    H: BlockingStore + Clone,
{
    store.handle()
}

/// Returns the handle of a store for a call in a transaction.
#[inline]
#[must_use]
pub fn in_database<Tx, S, H>(_: &Tx, store: S) -> H
where
    Tx: ?Sized,
    S: InDatabase<Tx, H>,
    H: Store + Clone,
{
    store.in_database()
}
