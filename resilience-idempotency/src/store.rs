//! The interface of a store of idempotency records.

use core::fmt;
use core::future::Future;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::sync::Arc;

use crate::key::{Fingerprint, RecordKey, ScopeKey};
use crate::secret::Secret;
use crate::store_error::StoreResult;
use resilience_core::__internal::Delay;

/// The identity of a claim. A write succeeds only with the token of the current claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    /// The random number of the claimant, drawn before the first claim. A repeated claim with the
    /// same owner returns the same token.
    pub owner: u128,
    /// The fencing number, higher than the fence of every earlier claim of the key.
    pub fence: u64,
}

/// The treatment of a claim whose lease has ended without a completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Takeover {
    /// The next claim takes over.
    Rerun,
    /// The next claim returns [`Claim::Interrupted`].
    Never,
}

/// The parameters of a claim.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRequest<'a> {
    /// The key of the record.
    pub key: &'a RecordKey,
    /// The fingerprint of the arguments. A claim with another fingerprint returns
    /// [`Claim::Mismatch`].
    pub fingerprint: &'a Fingerprint,
    /// The random number of the claimant.
    pub owner: u128,
    /// The time until the claim ends without a renewal.
    pub lease: Duration,
    /// The time until the record expires.
    pub retention: Duration,
    /// The treatment of an earlier claim whose lease has ended.
    pub takeover: Takeover,
    /// The name of the function, for people who read the store.
    pub label: &'a str,
    /// The scope of the call, for a store that limits the records of each scope. `None` for the
    /// global scope.
    pub scope: Option<ScopeKey>,
}

/// The result of a claim. The `Debug` form shows only the length of an outcome.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// The claimant owns the key and may run.
    Acquired {
        /// The token for writes to the record.
        token: Token,
        /// The number of claims of the key. Starts at 1.
        attempt: u32,
    },
    /// An earlier call has completed with this outcome.
    Replay(Arc<[u8]>),
    /// Another call holds the key.
    InFlight {
        /// The rest of the lease of the other call.
        lease_left: Duration,
    },
    /// The key was used with another fingerprint.
    Mismatch,
    /// An earlier call was interrupted, and the request has [`Takeover::Never`].
    Interrupted {
        /// The number of claims of the key.
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

/// The result of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum WriteOutcome {
    /// The record has the written state, from this write or from an earlier one.
    Applied,
    /// The token does not match the current claim. The record is unchanged.
    Fenced,
}

/// The properties of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Whether records survive the process.
    pub durable: bool,
    /// Whether several processes or machines see the same records.
    pub shared: bool,
    /// The maximum length of an outcome, in bytes.
    pub max_outcome: usize,
}

impl Capabilities {
    /// Creates the properties of a store in this process, without a limit for outcomes.
    #[must_use]
    pub const fn new() -> Self {
        Self { durable: false, shared: false, max_outcome: usize::MAX }
    }

    /// Sets whether records survive the process.
    #[must_use]
    pub const fn durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// Sets whether several processes or machines see the same records.
    #[must_use]
    pub const fn shared(mut self, shared: bool) -> Self {
        self.shared = shared;
        self
    }

    /// Sets the maximum length of an outcome, in bytes.
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

/// The identity of a store within the process. All handles of a store return the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreId(u64);

impl StoreId {
    /// Creates a unique id.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each id is different, so there is no default")]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Relaxed))
    }
}

/// An interrupted call, as listed by [`Store::interrupted`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interrupted {
    /// The key of the record.
    pub key: RecordKey,
    /// The name of the function.
    pub label: String,
    /// The number of claims of the key.
    pub attempt: u32,
}

impl Interrupted {
    /// Creates the entry of an interrupted call.
    #[must_use]
    pub fn new(key: RecordKey, label: impl Into<String>, attempt: u32) -> Self {
        Self { key, label: label.into(), attempt }
    }
}

/// A store of idempotency records.
///
/// Every step is atomic, also between processes. Times come from the clock of the store, and a
/// lease or a record has ended at its end time itself. The table of transitions in the guide
/// defines each step, and [`store_conformance!`](crate::store_conformance) tests a store. A failed
/// step may have been applied, so the runner repeats the step with the same token.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a store for `#[idempotent]`",
    label = "needs `resilience::idempotent::Store`",
    note = "pass a store in a `static` as `StaticStore(&STORE)`, a shared store as an `Arc`, a trait object as `Arc<dyn resilience::idempotent::DynStore>`"
)]
pub trait Store: Send + Sync + 'static {
    /// Claims a key.
    fn claim(&self, request: ClaimRequest<'_>) -> impl Future<Output = StoreResult<Claim>> + Send;

    /// Extends the lease to `lease` from now.
    fn renew(
        &self,
        key: &RecordKey,
        token: Token,
        lease: Duration,
    ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send;

    /// Stores the outcome for `retention` from now. Succeeds after the end of the lease, unless
    /// another call has claimed the key.
    fn complete(
        &self,
        key: &RecordKey,
        token: Token,
        outcome: &[u8],
        retention: Duration,
    ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send;

    /// Releases the claim: the side effect was not applied.
    fn release(
        &self,
        key: &RecordKey,
        token: Token,
    ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send;

    /// Ends the lease at once: the side effect may have been applied.
    fn abandon(
        &self,
        key: &RecordKey,
        token: Token,
    ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send;

    /// Waits until the record may have changed, for `hint` at most. The caller claims again in any
    /// case, so an early return is allowed.
    fn changed(&self, key: &RecordKey, hint: Duration) -> impl Future<Output = ()> + Send {
        let _ = key;
        Delay::start(hint).0.wait()
    }

    /// Removes at most `limit` expired records. Returns the number of removed records.
    fn purge(&self, limit: usize) -> impl Future<Output = StoreResult<usize>> + Send;

    /// Removes the record of a key in any state. Returns whether a record existed. The next call
    /// runs.
    fn forget(&self, key: &RecordKey) -> impl Future<Output = StoreResult<bool>> + Send;

    /// Returns at most `limit` interrupted calls.
    fn interrupted(
        &self,
        limit: usize,
    ) -> impl Future<Output = StoreResult<Vec<Interrupted>>> + Send;

    /// Returns the properties of the store.
    fn caps(&self) -> Capabilities;

    /// Returns the identity of the store.
    fn id(&self) -> StoreId;

    /// Returns the secret of keys and fingerprints. See [`WithSecret`](crate::WithSecret).
    fn secret(&self) -> Secret {
        Secret::default()
    }
}

/// A store for functions that are not async.
///
/// Every step of a call is ready at the first poll, without a runtime: [`claim`](Store::claim),
/// [`renew`](Store::renew), [`complete`](Store::complete), [`release`](Store::release) and
/// [`abandon`](Store::abandon). The records end with the process.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the store of a function that is not async",
    label = "needs `resilience::idempotent::BlockingStore`",
    note = "make the function `async`, or use the memory store, which needs no runtime"
)]
pub trait BlockingStore: Store {}
