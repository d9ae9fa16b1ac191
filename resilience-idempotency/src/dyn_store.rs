//! Store handles: in an `Arc`, as a trait object, in a `static`.

use core::future::Future;
use core::pin::Pin;
use core::time::Duration;
use std::sync::Arc;

use crate::key::RecordKey;
use crate::secret::Secret;
use crate::store::{
    BlockingStore, Capabilities, Claim, ClaimRequest, Interrupted, Store, StoreId, Token,
    WriteOutcome,
};
use crate::store_error::StoreResult;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The object-safe form of [`Store`]. Every store implements `DynStore`, and `Arc<dyn DynStore>`
/// implements [`Store`].
#[expect(missing_docs, reason = "the methods are those of `Store`")]
pub trait DynStore: Send + Sync + 'static {
    fn dyn_claim<'a>(&'a self, request: ClaimRequest<'a>) -> BoxFuture<'a, StoreResult<Claim>>;
    fn dyn_renew<'a>(
        &'a self,
        key: &'a RecordKey,
        token: Token,
        lease: Duration,
    ) -> BoxFuture<'a, StoreResult<WriteOutcome>>;
    fn dyn_complete<'a>(
        &'a self,
        key: &'a RecordKey,
        token: Token,
        outcome: &'a [u8],
        retention: Duration,
    ) -> BoxFuture<'a, StoreResult<WriteOutcome>>;
    fn dyn_release<'a>(
        &'a self,
        key: &'a RecordKey,
        token: Token,
    ) -> BoxFuture<'a, StoreResult<WriteOutcome>>;
    fn dyn_abandon<'a>(
        &'a self,
        key: &'a RecordKey,
        token: Token,
    ) -> BoxFuture<'a, StoreResult<WriteOutcome>>;
    fn dyn_changed<'a>(&'a self, key: &'a RecordKey, hint: Duration) -> BoxFuture<'a, ()>;
    fn dyn_purge(&self, limit: usize) -> BoxFuture<'_, StoreResult<usize>>;
    fn dyn_forget<'a>(&'a self, key: &'a RecordKey) -> BoxFuture<'a, StoreResult<bool>>;
    fn dyn_interrupted(&self, limit: usize) -> BoxFuture<'_, StoreResult<Vec<Interrupted>>>;
    fn dyn_caps(&self) -> Capabilities;
    fn dyn_id(&self) -> StoreId;
    fn dyn_secret(&self) -> Secret;
}

impl<S: Store> DynStore for S {
    fn dyn_claim<'a>(&'a self, request: ClaimRequest<'a>) -> BoxFuture<'a, StoreResult<Claim>> {
        Box::pin(self.claim(request))
    }

    fn dyn_renew<'a>(
        &'a self,
        key: &'a RecordKey,
        token: Token,
        lease: Duration,
    ) -> BoxFuture<'a, StoreResult<WriteOutcome>> {
        Box::pin(self.renew(key, token, lease))
    }

    fn dyn_complete<'a>(
        &'a self,
        key: &'a RecordKey,
        token: Token,
        outcome: &'a [u8],
        retention: Duration,
    ) -> BoxFuture<'a, StoreResult<WriteOutcome>> {
        Box::pin(self.complete(key, token, outcome, retention))
    }

    fn dyn_release<'a>(
        &'a self,
        key: &'a RecordKey,
        token: Token,
    ) -> BoxFuture<'a, StoreResult<WriteOutcome>> {
        Box::pin(self.release(key, token))
    }

    fn dyn_abandon<'a>(
        &'a self,
        key: &'a RecordKey,
        token: Token,
    ) -> BoxFuture<'a, StoreResult<WriteOutcome>> {
        Box::pin(self.abandon(key, token))
    }

    fn dyn_changed<'a>(&'a self, key: &'a RecordKey, hint: Duration) -> BoxFuture<'a, ()> {
        Box::pin(self.changed(key, hint))
    }

    fn dyn_purge(&self, limit: usize) -> BoxFuture<'_, StoreResult<usize>> {
        Box::pin(self.purge(limit))
    }

    fn dyn_forget<'a>(&'a self, key: &'a RecordKey) -> BoxFuture<'a, StoreResult<bool>> {
        Box::pin(self.forget(key))
    }

    fn dyn_interrupted(&self, limit: usize) -> BoxFuture<'_, StoreResult<Vec<Interrupted>>> {
        Box::pin(self.interrupted(limit))
    }

    fn dyn_caps(&self) -> Capabilities {
        self.caps()
    }

    fn dyn_id(&self) -> StoreId {
        self.id()
    }

    fn dyn_secret(&self) -> Secret {
        self.secret()
    }
}

/// Implements the methods of [`Store`] except `secret` by forwarding to `$to`.
///
/// A generic store returns the future of the inner store itself: an `async fn` would add the
/// arguments to the future. A trait object needs an `async` block, because its future has a single
/// lifetime for all arguments.
macro_rules! forward {
    ($self:ident => $to:expr) => {
        crate::dyn_store::forward!($self => $to, itself;
            claim, renew, complete, release, abandon, changed, purge, forget, interrupted, caps, id);
    };
    ($self:ident => $to:expr, $future:ident; $claim:ident, $renew:ident, $complete:ident,
        $release:ident, $abandon:ident, $changed:ident, $purge:ident, $forget:ident,
        $interrupted:ident, $caps:ident, $id:ident
    ) => {
        fn claim(
            &$self,
            request: ClaimRequest<'_>,
        ) -> impl Future<Output = StoreResult<Claim>> + Send {
            crate::dyn_store::future!($future $to.$claim(request))
        }

        fn renew(
            &$self,
            key: &RecordKey,
            token: Token,
            lease: Duration,
        ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send {
            crate::dyn_store::future!($future $to.$renew(key, token, lease))
        }

        fn complete(
            &$self,
            key: &RecordKey,
            token: Token,
            outcome: &[u8],
            retention: Duration,
        ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send {
            crate::dyn_store::future!($future $to.$complete(key, token, outcome, retention))
        }

        fn release(
            &$self,
            key: &RecordKey,
            token: Token,
        ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send {
            crate::dyn_store::future!($future $to.$release(key, token))
        }

        fn abandon(
            &$self,
            key: &RecordKey,
            token: Token,
        ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send {
            crate::dyn_store::future!($future $to.$abandon(key, token))
        }

        fn changed(&$self, key: &RecordKey, hint: Duration) -> impl Future<Output = ()> + Send {
            crate::dyn_store::future!($future $to.$changed(key, hint))
        }

        fn purge(&$self, limit: usize) -> impl Future<Output = StoreResult<usize>> + Send {
            crate::dyn_store::future!($future $to.$purge(limit))
        }

        fn forget(&$self, key: &RecordKey) -> impl Future<Output = StoreResult<bool>> + Send {
            crate::dyn_store::future!($future $to.$forget(key))
        }

        fn interrupted(
            &$self,
            limit: usize,
        ) -> impl Future<Output = StoreResult<Vec<Interrupted>>> + Send {
            crate::dyn_store::future!($future $to.$interrupted(limit))
        }

        fn caps(&$self) -> Capabilities {
            $to.$caps()
        }

        fn id(&$self) -> StoreId {
            $to.$id()
        }
    };
}

/// Returns a future itself, or in an `async` block.
macro_rules! future {
    (itself $future:expr) => {
        $future
    };
    (in_block $future:expr) => {
        async move { $future.await }
    };
}
pub(super) use {forward, future};

impl Store for Arc<dyn DynStore> {
    forward!(self => (**self), in_block; dyn_claim, dyn_renew, dyn_complete, dyn_release, dyn_abandon,
        dyn_changed, dyn_purge, dyn_forget, dyn_interrupted, dyn_caps, dyn_id);

    fn secret(&self) -> Secret {
        (**self).dyn_secret()
    }
}

impl<S: Store> Store for Arc<S> {
    forward!(self => (**self));

    fn secret(&self) -> Secret {
        (**self).secret()
    }
}

/// A handle of a store in a `static`.
///
/// The handle is a separate type instead of `&'static S`: the compiler erases the lifetimes inside
/// a future, and then no longer proves that a reference is `Send` and a store.
#[derive(Debug)]
pub struct StaticStore<S: 'static>(pub &'static S);

impl<S> Clone for StaticStore<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for StaticStore<S> {}

impl<S: Store> Store for StaticStore<S> {
    forward!(self => self.0);

    fn secret(&self) -> Secret {
        self.0.secret()
    }
}

impl<S: BlockingStore> BlockingStore for Arc<S> {}
impl<S: BlockingStore> BlockingStore for StaticStore<S> {}
