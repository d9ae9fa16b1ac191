//! What a store of idempotency records can do.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::error::Error;
use std::sync::Arc;

use super::key::{Fingerprint, RecordKey, Secret};
use crate::clock::Pause;

/// A source of trouble, of whichever kind.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What a store answers.
pub type StoreResult<T> = Result<T, StoreError>;

/// Who holds a claim, and since when: `owner` is drawn by the claimant before it first asks, so that a claim
/// whose answer was lost can be asked for again; `fence` rises with every claim of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    /// The random number of the claimant.
    pub owner: u128,
    /// Higher than that of every claim of the same key before it.
    pub fence: u64,
}

/// What becomes of a claim that nobody ended, once its lease is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Takeover {
    /// The next claimant runs again.
    Rerun,
    /// Nobody does: [`Claim::Interrupted`].
    Never,
}

/// A claim that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRequest<'a> {
    /// Of what.
    pub key: &'a RecordKey,
    /// What the call is about: the same key with another fingerprint is a mistake of the caller's.
    pub fingerprint: &'a Fingerprint,
    /// The random number of the claimant.
    pub owner: u128,
    /// For how long the claim stands without being renewed.
    pub lease: Duration,
    /// For how long the record is kept.
    pub retention: Duration,
    /// What becomes of a claim whose lease is over.
    pub takeover: Takeover,
    /// The name of the function, for people who look into the store.
    pub label: &'a str,
}

/// The answer to a claim. Its `Debug` form shows of an outcome how long it is.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// It is the caller's, who may run now.
    Acquired {
        /// The right to write the record.
        token: Token,
        /// How often the key was claimed, from 1.
        attempt: u32,
    },
    /// It is done, and this came of it.
    Replay(Arc<[u8]>),
    /// Somebody else holds it, for that long at least.
    InFlight {
        /// What is left of the lease.
        lease_left: Duration,
    },
    /// The key was used for something else.
    Mismatch,
    /// Somebody held it, and never said how it ended ([`Takeover::Never`]).
    Interrupted {
        /// How often the key was claimed.
        attempt: u32,
    },
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acquired { token, attempt } => {
                f.debug_struct("Acquired").field("token", token).field("attempt", attempt).finish()
            }
            Self::Replay(bytes) => write!(f, "Replay({} bytes)", bytes.len()),
            Self::InFlight { lease_left } => {
                f.debug_struct("InFlight").field("lease_left", lease_left).finish()
            }
            Self::Mismatch => f.write_str("Mismatch"),
            Self::Interrupted { attempt } => {
                f.debug_struct("Interrupted").field("attempt", attempt).finish()
            }
        }
    }
}

/// The answer to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Write {
    /// The record says so now, or said so already.
    Applied,
    /// The token is no longer that of the record, which is unchanged.
    Fenced,
}

/// What a store promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caps {
    /// Whether records survive the process.
    pub durable: bool,
    /// Whether several machines see the same records.
    pub shared: bool,
    /// The longest outcome, in bytes.
    pub max_outcome: usize,
}

impl Caps {
    /// A store in this process, without a limit of its own.
    #[must_use]
    pub const fn new() -> Self {
        Self { durable: false, shared: false, max_outcome: usize::MAX }
    }

    /// Whether records survive the process.
    #[must_use]
    pub const fn durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// Whether several machines see the same records.
    #[must_use]
    pub const fn shared(mut self, shared: bool) -> Self {
        self.shared = shared;
        self
    }

    /// The longest outcome, in bytes.
    #[must_use]
    pub const fn max_outcome(mut self, bytes: usize) -> Self {
        self.max_outcome = bytes;
        self
    }
}

impl Default for Caps {
    fn default() -> Self {
        Self::new()
    }
}

/// Tells the stores of a process apart. All handles of one store share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreId(u64);

impl StoreId {
    /// One that no other store has.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default would not be the same twice")]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Relaxed))
    }
}

/// A claim that nobody ended, for whoever drives it on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interrupted {
    /// The key of the record.
    pub key: RecordKey,
    /// The name of the function.
    pub label: String,
    /// How often it was claimed.
    pub attempt: u32,
}

impl Interrupted {
    /// A claim of this key, that function, and so many attempts.
    #[must_use]
    pub fn new(key: RecordKey, label: impl Into<String>, attempt: u32) -> Self {
        Self { key, label: label.into(), attempt }
    }
}

/// A place for idempotency records, and the atomic steps on them.
///
/// Every step is atomic, also between processes; times are those of the store's own clock; an end is reached
/// at the time itself and not after it. What each step has to do is the table of transitions in the guide,
/// and [`store_conformance!`](crate::store_conformance) finds out whether a store does. A step that fails
/// may have been applied: the runner repeats it with the same token.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no store for `#[idempotent]`",
    label = "needs `resilience::idempotent::Store`",
    note = "a store in a `static` is handed over as `Static(&STORE)`, a shared one as an `Arc`, one behind a trait object as `Arc<dyn resilience::idempotent::DynStore>`"
)]
pub trait Store: Send + Sync + 'static {
    /// Claims a key, or says why not.
    fn claim(&self, request: ClaimRequest<'_>) -> impl Future<Output = StoreResult<Claim>> + Send;

    /// Moves the end of the lease to `lease` from now.
    fn renew(
        &self,
        key: &RecordKey,
        token: Token,
        lease: Duration,
    ) -> impl Future<Output = StoreResult<Write>> + Send;

    /// Keeps the outcome for `retention` from now, also where the lease is over and nobody has taken over.
    fn complete(
        &self,
        key: &RecordKey,
        token: Token,
        outcome: &[u8],
        retention: Duration,
    ) -> impl Future<Output = StoreResult<Write>> + Send;

    /// Gives the claim back: it is known that nothing was done.
    fn release(
        &self,
        key: &RecordKey,
        token: Token,
    ) -> impl Future<Output = StoreResult<Write>> + Send;

    /// Ends the lease: nobody knows what was done.
    fn abandon(
        &self,
        key: &RecordKey,
        token: Token,
    ) -> impl Future<Output = StoreResult<Write>> + Send;

    /// Returns when the record may have changed, after `hint` at the latest. A hint: the one who waits asks
    /// again in any case.
    fn changed(&self, key: &RecordKey, hint: Duration) -> impl Future<Output = ()> + Send {
        let _ = key;
        Pause::start(hint).0.wait()
    }

    /// Removes at most `limit` records that have expired; how many there were.
    fn purge(&self, limit: usize) -> impl Future<Output = StoreResult<usize>> + Send;

    /// Removes the record of a key, whatever its state; whether there was one. The next call runs.
    fn forget(&self, key: &RecordKey) -> impl Future<Output = StoreResult<bool>> + Send;

    /// At most `limit` claims whose lease is over.
    fn interrupted(
        &self,
        limit: usize,
    ) -> impl Future<Output = StoreResult<Vec<Interrupted>>> + Send;

    /// What it promises.
    fn caps(&self) -> Caps;

    /// Which store it is.
    fn id(&self) -> StoreId;

    /// What its keys are made with. See [`WithSecret`](super::WithSecret).
    fn secret(&self) -> Secret {
        Secret::default()
    }
}

/// A store that answers at once, without a runtime, and whose records end with the process: what a function
/// that is not async can have.
///
/// The futures of such a store are ready when they are first asked.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be called by a function that is not async",
    label = "has to wait for something",
    note = "make the function `async`, or leave `store` out: the memory store needs no runtime"
)]
pub trait BlockingStore: Store {}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`Store`] as a trait object: `Arc<dyn DynStore>` is a store again. Every store has it.
#[expect(missing_docs, reason = "the methods are those of `Store`")]
pub trait DynStore: Send + Sync + 'static {
    fn dyn_claim<'a>(&'a self, request: ClaimRequest<'a>) -> BoxFuture<'a, StoreResult<Claim>>;
    fn dyn_renew<'a>(
        &'a self,
        key: &'a RecordKey,
        token: Token,
        lease: Duration,
    ) -> BoxFuture<'a, StoreResult<Write>>;
    fn dyn_complete<'a>(
        &'a self,
        key: &'a RecordKey,
        token: Token,
        outcome: &'a [u8],
        retention: Duration,
    ) -> BoxFuture<'a, StoreResult<Write>>;
    fn dyn_release<'a>(
        &'a self,
        key: &'a RecordKey,
        token: Token,
    ) -> BoxFuture<'a, StoreResult<Write>>;
    fn dyn_abandon<'a>(
        &'a self,
        key: &'a RecordKey,
        token: Token,
    ) -> BoxFuture<'a, StoreResult<Write>>;
    fn dyn_changed<'a>(&'a self, key: &'a RecordKey, hint: Duration) -> BoxFuture<'a, ()>;
    fn dyn_purge(&self, limit: usize) -> BoxFuture<'_, StoreResult<usize>>;
    fn dyn_forget<'a>(&'a self, key: &'a RecordKey) -> BoxFuture<'a, StoreResult<bool>>;
    fn dyn_interrupted(&self, limit: usize) -> BoxFuture<'_, StoreResult<Vec<Interrupted>>>;
    fn dyn_caps(&self) -> Caps;
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
    ) -> BoxFuture<'a, StoreResult<Write>> {
        Box::pin(self.renew(key, token, lease))
    }

    fn dyn_complete<'a>(
        &'a self,
        key: &'a RecordKey,
        token: Token,
        outcome: &'a [u8],
        retention: Duration,
    ) -> BoxFuture<'a, StoreResult<Write>> {
        Box::pin(self.complete(key, token, outcome, retention))
    }

    fn dyn_release<'a>(
        &'a self,
        key: &'a RecordKey,
        token: Token,
    ) -> BoxFuture<'a, StoreResult<Write>> {
        Box::pin(self.release(key, token))
    }

    fn dyn_abandon<'a>(
        &'a self,
        key: &'a RecordKey,
        token: Token,
    ) -> BoxFuture<'a, StoreResult<Write>> {
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

    fn dyn_caps(&self) -> Caps {
        self.caps()
    }

    fn dyn_id(&self) -> StoreId {
        self.id()
    }

    fn dyn_secret(&self) -> Secret {
        self.secret()
    }
}

/// Hands every step on to what `$to` names: a store inside, its trait object, or a reference.
macro_rules! forwarded {
    ($self:ident => $to:expr) => {
        crate::idempotent::store::forwarded!($self => $to;
            claim, renew, complete, release, abandon, changed, purge, forget, interrupted, caps, id);
    };
    ($self:ident => $to:expr; $claim:ident, $renew:ident, $complete:ident, $release:ident,
        $abandon:ident, $changed:ident, $purge:ident, $forget:ident, $interrupted:ident, $caps:ident,
        $id:ident
    ) => {
        async fn claim(&$self, request: ClaimRequest<'_>) -> StoreResult<Claim> {
            $to.$claim(request).await
        }

        async fn renew(
            &$self,
            key: &RecordKey,
            token: Token,
            lease: Duration,
        ) -> StoreResult<Write> {
            $to.$renew(key, token, lease).await
        }

        async fn complete(
            &$self,
            key: &RecordKey,
            token: Token,
            outcome: &[u8],
            retention: Duration,
        ) -> StoreResult<Write> {
            $to.$complete(key, token, outcome, retention).await
        }

        async fn release(&$self, key: &RecordKey, token: Token) -> StoreResult<Write> {
            $to.$release(key, token).await
        }

        async fn abandon(&$self, key: &RecordKey, token: Token) -> StoreResult<Write> {
            $to.$abandon(key, token).await
        }

        async fn changed(&$self, key: &RecordKey, hint: Duration) {
            $to.$changed(key, hint).await;
        }

        async fn purge(&$self, limit: usize) -> StoreResult<usize> {
            $to.$purge(limit).await
        }

        async fn forget(&$self, key: &RecordKey) -> StoreResult<bool> {
            $to.$forget(key).await
        }

        async fn interrupted(&$self, limit: usize) -> StoreResult<Vec<Interrupted>> {
            $to.$interrupted(limit).await
        }

        fn caps(&$self) -> Caps {
            $to.$caps()
        }

        fn id(&$self) -> StoreId {
            $to.$id()
        }
    };
}
pub(super) use forwarded;

impl Store for Arc<dyn DynStore> {
    forwarded!(self => (**self); dyn_claim, dyn_renew, dyn_complete, dyn_release, dyn_abandon,
        dyn_changed, dyn_purge, dyn_forget, dyn_interrupted, dyn_caps, dyn_id);

    fn secret(&self) -> Secret {
        (**self).dyn_secret()
    }
}

impl<S: Store> Store for Arc<S> {
    forwarded!(self => (**self));

    fn secret(&self) -> Secret {
        (**self).secret()
    }
}

/// A store in a `static`, as a handle.
///
/// A type of its own and not `&'static S`: the compiler forgets the lifetimes of what a future holds, and
/// would not believe that it is a store when the future is to be sent.
#[derive(Debug)]
pub struct Static<S: 'static>(pub &'static S);

impl<S> Clone for Static<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Static<S> {}

impl<S: Store> Store for Static<S> {
    forwarded!(self => self.0);

    fn secret(&self) -> Secret {
        self.0.secret()
    }
}

impl<S: BlockingStore> BlockingStore for Arc<S> {}
impl<S: BlockingStore> BlockingStore for Static<S> {}

/// Why a store could not do what it was asked.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<BoxError>,
}

/// What kind of trouble a store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It did not answer, or not in time: the step may have been applied.
    Unavailable,
    /// It has no room for another record. Those it has still work.
    Full,
    /// It answered with something that is none of the answers.
    Corrupt,
}

impl StoreError {
    /// Trouble of this kind.
    #[must_use]
    pub const fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// No answer, for this reason.
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self { kind: StoreErrorKind::Unavailable, source: Some(source.into()) }
    }

    /// No room, for this reason.
    pub fn full(source: impl Into<BoxError>) -> Self {
        Self { kind: StoreErrorKind::Full, source: Some(source.into()) }
    }

    /// An answer that makes no sense, for this reason.
    pub fn corrupt(source: impl Into<BoxError>) -> Self {
        Self { kind: StoreErrorKind::Corrupt, source: Some(source.into()) }
    }

    /// Whether the same step may be answered the next time.
    pub(super) fn may_pass(&self) -> bool {
        self.kind == StoreErrorKind::Unavailable
    }

    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::Unavailable => "the idempotency store does not answer",
            StoreErrorKind::Full => "the idempotency store is full",
            StoreErrorKind::Corrupt => "the idempotency store has a record that cannot be read",
        })
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
