//! What a store of idempotency records can do.

use core::fmt;
use core::future::Future;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::sync::Arc;

use crate::key::{Fingerprint, RecordKey};
use crate::secret::Secret;
use crate::store_error::StoreResult;
use resilience_core::__internal::Delay;

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
pub enum WriteOutcome {
    /// The record says so now, or said so already.
    Applied,
    /// The token is no longer that of the record, which is unchanged.
    Fenced,
}

/// What a store promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Whether records survive the process.
    pub durable: bool,
    /// Whether several machines see the same records.
    pub shared: bool,
    /// The longest outcome, in bytes.
    pub max_outcome: usize,
}

impl Capabilities {
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

impl Default for Capabilities {
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
    note = "a store in a `static` is handed over as `StaticStore(&STORE)`, a shared one as an `Arc`, one behind a trait object as `Arc<dyn resilience::idempotent::DynStore>`"
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
    ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send;

    /// OutcomePolicy the outcome for `retention` from now, also where the lease is over and nobody has taken over.
    fn complete(
        &self,
        key: &RecordKey,
        token: Token,
        outcome: &[u8],
        retention: Duration,
    ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send;

    /// Gives the claim back: it is known that nothing was done.
    fn release(
        &self,
        key: &RecordKey,
        token: Token,
    ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send;

    /// Ends the lease: nobody knows what was done.
    fn abandon(
        &self,
        key: &RecordKey,
        token: Token,
    ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send;

    /// Returns when the record may have changed, after `hint` at the latest. A hint: the one who waits asks
    /// again in any case.
    fn changed(&self, key: &RecordKey, hint: Duration) -> impl Future<Output = ()> + Send {
        let _ = key;
        Delay::start(hint).0.wait()
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
    fn caps(&self) -> Capabilities;

    /// Which store it is.
    fn id(&self) -> StoreId;

    /// What its keys are made with. See [`WithSecret`](crate::WithSecret).
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
