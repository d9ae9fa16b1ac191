//! Calls that run once for each key: a claim with a lease, the body, and an outcome that is stored and
//! returned to whoever calls again.
//!
//! The guide is that of the attribute, `#[idempotent]`. Here are its stores, and what it is made of for those
//! who call by hand.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod call;
mod canonical;
mod codec;
pub mod conformance;
mod context;
mod decided;
mod envelope;
mod fingerprint;
mod forwarded;
mod handle;
mod key;
mod key_fault;
mod lent;
mod log;
mod memory;
mod policy;
mod record;
mod recovery;
mod run;
mod running;
mod secret;
mod shard;
mod spawn;
mod store;
mod store_error;
pub mod testing;
mod transaction;
mod waiting;

#[doc(hidden)]
pub mod __private;

pub use call::{Claimed, IdempotentCall, Replayed};
pub use codec::Keep;
pub use context::IdempotencyContext;
pub use fingerprint::FingerprintBuilder;
pub use forwarded::{DynStore, StaticStore};
pub use key::{Fingerprint, KeyParts, KeyWriter, RecordKey, Scope, Secret};
pub use key_fault::KeyError;
pub use memory::MemoryStore;
pub use policy::{IdempotencyPolicy, OnInterrupted, OnLeaseLost, OnStoreError, OnUnsaved};
pub use recovery::{RedriveReport, forget, purge, redrive};
pub use run::Reconciled;
pub use running::{ActiveCall, Completed};
pub use secret::WithSecret;
pub use store::{
    BlockingStore, Capabilities, Claim, ClaimRequest, Interrupted, Store, StoreId, Takeover, Token,
    WriteOutcome,
};
pub use store_error::{BoxError, StoreError, StoreErrorKind, StoreResult};
pub use transaction::TxStore;
