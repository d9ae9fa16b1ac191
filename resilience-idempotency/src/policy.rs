//! The settings of idempotent calls.

use core::time::Duration;

use crate::call::IdempotentCall;
use crate::fingerprint::FingerprintBuilder;
use crate::key::{KeyParts, RecordKey, Scope, record_key};
use crate::key_fault::KeyError;
use crate::log;
use crate::store::{Store, Takeover};
use resilience_core::InvalidPolicy;
use resilience_core::{IdempotencyRejection, Rejected, RejectedKind};
use resilience_rules::idempotent as rules;

/// How a function runs once for each key. What `#[idempotent]` makes of its keys, and what calls by hand go
/// by.
///
/// ```
///
/// use resilience::idempotent::{IdempotencyPolicy, MemoryStore, Scope, StaticStore};
/// use resilience::Rejected;
///
/// static CHARGE: IdempotencyPolicy = IdempotencyPolicy::new("payments.charge");
/// static STORE: MemoryStore = MemoryStore::new();
///
/// fn charge(tenant: &str, request: &str, cents: u64) -> Result<u64, Rejected> {
///     let about = |call: resilience::idempotent::FingerprintBuilder| call.value(&cents);
///     CHARGE.call(StaticStore(&STORE), Scope::Of(&tenant), &request, about)?.run(|| Ok(cents))
/// }
///
/// assert_eq!(charge("acme", "r-1", 5), Ok(5));
/// assert_eq!(charge("acme", "r-1", 5), Ok(5)); // and nothing ran
/// assert!(charge("acme", "r-1", 6).is_err()); // the same key for something else
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a policy does nothing until a call is made by it"]
pub struct IdempotencyPolicy {
    pub(super) name: &'static str,
    pub(super) version: u32,
    pub(super) ttl: Duration,
    pub(super) lease: Duration,
    pub(super) wait: Option<Duration>,
    pub(super) on_interrupted: OnInterrupted,
    pub(super) on_store_error: OnStoreError,
    pub(super) on_lease_lost: OnLeaseLost,
    pub(super) on_unsaved: OnUnsaved,
    pub(super) min_key_length: usize,
    pub(super) max_outcome: usize,
    pub(super) store_timeout: Duration,
}

/// What becomes of a call whose predecessor never said how it ended: its process was killed, its future
/// dropped, its answer lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnInterrupted {
    /// It runs again: at least once.
    Rerun,
    /// It is turned away, and somebody has to look: at most once.
    Unknown,
    /// It finds out what has happened, by the function that it was given for that.
    Reconcile,
}

/// What becomes of a call when the store does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnStoreError {
    /// It is turned away.
    FailClosed,
    /// It runs, unprotected.
    FailOpen,
}

/// What becomes of a body when its lease is gone: renewed too late, and claimed by somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnLeaseLost {
    /// It goes on, and what the store has by then is returned.
    Continue,
    /// It is dropped.
    Cancel,
}

/// What a call returns that has run, but whose outcome could not be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnUnsaved {
    /// What the body returned.
    Return,
    /// An error: the next call may run again.
    Error,
}

impl IdempotencyPolicy {
    /// The defaults. `name` stands for the function in the store, so it should outlive its renaming:
    /// `"payments.charge"`.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            version: rules::VERSION,
            ttl: rules::TTL,
            lease: rules::LEASE,
            wait: Some(rules::WAIT),
            on_interrupted: OnInterrupted::Rerun,
            on_store_error: OnStoreError::FailClosed,
            on_lease_lost: OnLeaseLost::Continue,
            on_unsaved: OnUnsaved::Return,
            min_key_length: rules::MIN_KEY_LENGTH as usize,
            max_outcome: rules::MAX_OUTCOME as usize,
            store_timeout: rules::STORE_TIMEOUT,
        }
    }

    /// Another name for the function.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// For how long an outcome is kept, from its completion. Default: 24 hours. It should be longer than
    /// anybody goes on trying.
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// How long after its last sign of life a call counts as dead. It gives one every third of that. Default:
    /// 30 s.
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// For how long a call waits for another one with the same key that is running. Default: 5 s.
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// Turns a call away at once while another one with the same key is running.
    pub const fn reject(mut self) -> Self {
        self.wait = None;
        self
    }

    /// What becomes of a call whose predecessor never said how it ended. Default: it runs again.
    pub const fn on_interrupted(mut self, then: OnInterrupted) -> Self {
        self.on_interrupted = then;
        self
    }

    /// What becomes of a call when the store does not answer. Default: it is turned away.
    pub const fn on_store_error(mut self, then: OnStoreError) -> Self {
        self.on_store_error = then;
        self
    }

    /// What becomes of a body when its lease is gone. Default: it goes on.
    pub const fn on_lease_lost(mut self, then: OnLeaseLost) -> Self {
        self.on_lease_lost = then;
        self
    }

    /// What a call returns whose outcome could not be stored. Default: what the body returned.
    pub const fn on_unsaved(mut self, then: OnUnsaved) -> Self {
        self.on_unsaved = then;
        self
    }

    /// The version of what the function returns. An outcome of another version is not read, and the call is
    /// turned away. Default: 1.
    pub const fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// The least length of a key that is a text, against keys that can be guessed. Default: 1.
    pub const fn min_key_length(mut self, characters: u32) -> Self {
        self.min_key_length = characters as usize;
        self
    }

    /// The longest outcome that is stored, in bytes. Of a longer one it is stored that it was, and a
    /// repetition is turned away. Default: 256 KiB.
    pub const fn max_outcome(mut self, bytes: u32) -> Self {
        self.max_outcome = bytes as usize;
        self
    }

    /// How long one step of the store may take. Default: 500 ms.
    pub const fn store_timeout(mut self, time: Duration) -> Self {
        self.store_timeout = time;
        self
    }

    /// Looks for settings that cannot be meant.
    ///
    /// # Errors
    /// The rule that is broken, in words.
    pub const fn validate(&self) -> Result<(), InvalidPolicy> {
        if let broken @ Err(_) = rules::store_timeout(self.store_timeout) {
            return broken;
        }
        rules::lease_within_ttl(self.lease, self.ttl)
    }

    /// A call with this key. The rest of the arguments, as far as they matter, goes into the fingerprint.
    ///
    /// # Errors
    /// [`MissingKey`](IdempotencyRejection::MissingKey) and [`InvalidKey`](IdempotencyRejection::InvalidKey).
    pub fn call<S: Store + Clone>(
        &self,
        store: S,
        scope: Scope<'_>,
        key: &dyn KeyParts,
        about: impl FnOnce(FingerprintBuilder) -> FingerprintBuilder,
    ) -> Result<IdempotentCall<S>, Rejected> {
        self.call_or_fault(store, scope, key, about).map_err(|fault| self.refuse(fault))
    }

    /// The same, with nothing told of a key that will not do.
    pub(super) fn call_or_fault<S: Store + Clone>(
        &self,
        store: S,
        scope: Scope<'_>,
        key: &dyn KeyParts,
        about: impl FnOnce(FingerprintBuilder) -> FingerprintBuilder,
    ) -> Result<IdempotentCall<S>, KeyError> {
        let secret = store.secret();
        let key = record_key(&secret, self.name, scope, key, self.min_key_length)?;
        let fingerprint = about(FingerprintBuilder::new(&secret, self.name)).end()?;
        Ok(IdempotentCall::new(*self, store, key, fingerprint, scope.kind()))
    }

    /// Turns away a call whose key will not do.
    pub(super) fn refuse(&self, fault: KeyError) -> Rejected {
        let rejected = self.faulty(fault);
        log::refused(&rejected);
        rejected
    }

    /// The key of a record, for [`forget`](crate::forget), or to be kept with a job for [`redrive`](crate::redrive). Scope
    /// and key are those of the call.
    ///
    /// ```
    ///
    /// use resilience::idempotent::{IdempotencyPolicy, MemoryStore, RecordKey, Scope};
    /// use resilience::Rejected;
    ///
    /// // `#[idempotent(policy = CHARGE, key = request, scope = tenant, …)]`
    /// const CHARGE: IdempotencyPolicy = IdempotencyPolicy::new("payments.charge");
    ///
    /// fn record(store: &MemoryStore, tenant: &str, request: &str) -> Result<RecordKey, Rejected> {
    ///     CHARGE.key(store, Scope::Of(&tenant), &request)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn key<S: Store>(
        &self,
        store: &S,
        scope: Scope<'_>,
        key: &dyn KeyParts,
    ) -> Result<RecordKey, Rejected> {
        record_key(&store.secret(), self.name, scope, key, self.min_key_length)
            .map_err(|fault| self.faulty(fault))
    }

    /// What becomes of a lease that is over. Reconciling first hears of it, and then takes over.
    pub(super) const fn takeover(&self) -> Takeover {
        match self.on_interrupted {
            OnInterrupted::Rerun => Takeover::Rerun,
            OnInterrupted::Unknown | OnInterrupted::Reconcile => Takeover::Never,
        }
    }

    fn faulty(&self, fault: KeyError) -> Rejected {
        let kind = match fault {
            KeyError::Missing => RejectedKind::Idempotency(IdempotencyRejection::MissingKey),
            _ => RejectedKind::Idempotency(IdempotencyRejection::InvalidKey),
        };
        self.rejected(kind).because(fault)
    }

    pub(super) fn rejected(&self, kind: RejectedKind) -> Rejected {
        Rejected::new(kind, self.name, None)
    }
}
