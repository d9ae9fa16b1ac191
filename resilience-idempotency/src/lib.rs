//! The runtime of `#[idempotent]`: a body runs at most once for each idempotency key, and later
//! calls with the key return the stored outcome.
//!
//! A call claims the key with a lease, runs the body, and stores the outcome. The guide of the
//! attribute explains keys, scopes, interrupted calls and stores. This crate holds
//!
//! - the stores: the trait [`Store`], the [`MemoryStore`], and handles such as [`StaticStore`] and
//!   [`DynStore`];
//! - calls without the attribute: [`IdempotencyPolicy`], [`IdempotentCall`] and [`ActiveCall`];
//! - maintenance: [`purge`], [`redrive`] and [`forget`];
//! - tests: the suite [`store_conformance!`](crate::store_conformance) for stores, and
//!   [`testing`], a store with injected faults for applications.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::manual_async_fn,
    reason = "the type names `Send`, for `Arc<dyn DynStore>` in a task"
)]

// Keys.
mod canonical;
mod digest;
mod fingerprint;
mod key;
mod secret;

// Calls.
mod active_call;
mod ambiguous_null;
mod call;
mod context;
mod followers;
mod owner;
mod policy;
mod recovery;
mod run;
mod sent_claim;
mod shared_claim;
mod singleflight;
mod transaction;

// Outcomes.
mod codec;
mod envelope;

// Stores.
mod dyn_store;
mod into_store;
mod memory;
mod quota;
mod record;
mod report;
mod shard;
mod store;
mod store_error;

// Tests of stores and of applications.
#[doc(hidden)]
pub mod conformance;
pub mod testing;

// Shared by all parts.
mod log;
mod spawn;
mod wait;

#[doc(hidden)]
pub mod __private;

pub use active_call::{ActiveCall, Completed};
pub use call::{Claimed, IdempotentCall, Replayed};
pub use codec::Disposition;
pub use context::IdempotencyContext;
pub use dyn_store::{DynStore, StaticStore};
pub use fingerprint::FingerprintBuilder;
#[doc(inline)]
pub use key::KeyError;
pub use key::{Fingerprint, KeyParts, KeyWriter, RecordKey, Scope, ScopeKey};
pub use memory::MemoryStore;
pub use policy::{IdempotencyPolicy, OnInterrupted, OnLeaseLost, OnStoreError, OnUnsaved};
pub use recovery::{RedriveReport, forget, purge, redrive};
pub use run::Reconciled;
pub use secret::{Secret, WithSecret};
pub use store::{
    BlockingStore, Capabilities, Claim, ClaimRequest, Interrupted, Store, StoreId, Takeover, Token,
    WriteOutcome,
};
pub use store_error::{BoxError, StoreError, StoreErrorKind, StoreResult};
pub use transaction::TxStore;
