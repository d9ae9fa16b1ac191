//! Calls that run once for each key: a claim with a lease, the body, and an outcome that is stored and
//! returned to whoever calls again.
//!
//! The guide is that of the attribute, `#[idempotent]`. Here are its stores, and what it is made of for those
//! who call by hand.

mod call;
mod codec;
mod context;
mod envelope;
mod fingerprint;
pub(crate) mod generated;
mod handle;
mod key;
mod key_fault;
mod lent;
mod log;
mod memory;
mod policy;
mod random;
mod record;
mod run;
mod running;
mod secret;
mod store;
mod waiting;

pub use call::{Claimed, IdempotentCall, Replayed};
pub use codec::Keep;
pub use context::Idempotency;
pub use fingerprint::FingerprintBuilder;
pub use key::{Fingerprint, IntoKey, KeyWriter, RecordKey, Scope, Secret};
pub use key_fault::KeyFault;
pub use memory::MemoryStore;
pub use policy::{IdempotencyPolicy, OnInterrupted, OnLeaseLost, OnStoreError, OnUnsaved};
pub use run::Reconciled;
pub use running::{Completed, Running};
pub use secret::WithSecret;
pub use store::{
    BlockingStore, BoxError, Caps, Claim, ClaimRequest, DynStore, Interrupted, Static, Store,
    StoreError, StoreErrorKind, StoreId, StoreResult, Takeover, Token, Write,
};
