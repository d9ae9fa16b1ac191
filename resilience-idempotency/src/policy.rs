//! The settings of idempotent calls.

use core::panic::Location;
use core::time::Duration;

use crate::call::IdempotentCall;
use crate::fingerprint::FingerprintBuilder;
use crate::key::{KeyError, KeyParts, RecordKey, Scope, record_key};
use crate::log;
use crate::store::{Store, Takeover};
use resilience_core::{IdempotencyRejection, InvalidPolicy, Rejected};
use resilience_rules::idempotent as rules;
use resilience_rules::name::name;

/// The settings of calls that run once for each key.
///
/// `#[idempotent]` creates a policy from its keys. Without the attribute, a policy creates calls
/// with [`call`](Self::call).
///
/// # Examples
/// ```
/// use resilience::Rejected;
/// use resilience::idempotent::{IdempotencyPolicy, MemoryStore, Scope, StaticStore};
///
/// static CHARGE: IdempotencyPolicy = IdempotencyPolicy::new("payments.charge");
/// static STORE: MemoryStore = MemoryStore::new();
///
/// fn charge(tenant: &str, request: &str, cents: u64) -> Result<u64, Rejected> {
///     let store = StaticStore(&STORE);
///     let scope = Scope::Of(&tenant);
///     let call = CHARGE.call(store, scope, &request, |arguments| arguments.value(&cents))?;
///     call.run(|| Ok(cents))
/// }
///
/// assert_eq!(charge("acme", "r-1", 5), Ok(5));
/// assert_eq!(charge("acme", "r-1", 5), Ok(5)); // the stored outcome; the body does not run
/// assert!(charge("acme", "r-1", 6).is_err()); // the same key with other arguments
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a policy does nothing until it creates a call"]
pub struct IdempotencyPolicy {
    pub(super) name: &'static str,
    /// The place in the source code that made the policy.
    pub(super) location: &'static Location<'static>,
    /// The number of layers outside, in an annotated function.
    pub(super) depth: u8,
    pub(super) version: u32,
    pub(super) ttl: Duration,
    pub(super) lease: Duration,
    /// `None` is the `ttl`.
    pub(super) max_renewal: Option<Duration>,
    pub(super) wait: Option<Duration>,
    pub(super) on_interrupted: OnInterrupted,
    pub(super) on_store_error: OnStoreError,
    pub(super) on_lease_lost: OnLeaseLost,
    pub(super) on_unsaved: OnUnsaved,
    pub(super) min_key_length: u32,
    pub(super) max_outcome: usize,
    pub(super) store_timeout: Duration,
}

/// The treatment of a key whose earlier call was interrupted.
///
/// A call is interrupted if its process ends, its future is dropped or its final write is lost.
/// The side effect may then be applied or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnInterrupted {
    /// Runs the body again. The side effect happens at least once.
    Rerun,
    /// Rejects the call, for a person to decide. The side effect happens at most once.
    Unknown,
    /// Calls the reconcile function, which reports whether the side effect was applied.
    Reconcile,
}

/// The treatment of a call while the store is unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnStoreError {
    /// Rejects the call.
    FailClosed,
    /// Runs the body without protection.
    FailOpen,
}

/// The treatment of a body that has lost its lease, because its renewals failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnLeaseLost {
    /// The body continues. If another call has taken over and completed, its outcome is returned.
    Continue,
    /// The body is dropped, and the call is rejected.
    Cancel,
}

/// The result of a call whose body has run and whose outcome could not be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnUnsaved {
    /// Returns the outcome of the body.
    Return,
    /// Returns an error with [`Effect::Unknown`](resilience_core::Effect::Unknown). The next call
    /// may run again.
    Error,
}

impl IdempotencyPolicy {
    /// Creates a policy with the defaults.
    ///
    /// `name` identifies the function in the store, such as `"payments.charge"`. Keep the name
    /// when the function is renamed.
    #[track_caller]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            location: Location::caller(),
            depth: 0,
            version: rules::VERSION,
            ttl: rules::TTL,
            lease: rules::LEASE,
            max_renewal: None,
            wait: Some(rules::WAIT),
            on_interrupted: OnInterrupted::Rerun,
            on_store_error: OnStoreError::FailClosed,
            on_lease_lost: OnLeaseLost::Continue,
            on_unsaved: OnUnsaved::Return,
            min_key_length: rules::MIN_KEY_LENGTH,
            max_outcome: rules::MAX_OUTCOME as usize,
            store_timeout: rules::STORE_TIMEOUT,
        }
    }

    /// Sets the number of layers outside, for an annotated function.
    #[doc(hidden)]
    pub const fn depth(mut self, depth: u8) -> Self {
        self.depth = depth;
        self
    }

    /// Sets the name of the function in the store.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Sets how long an outcome is kept after its completion. Default: 24 hours. Zero counts as the
    /// default.
    ///
    /// Choose a time longer than any caller retries.
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Sets the lease: the time after which a call without a heartbeat counts as interrupted.
    /// Default: 30 s. Zero counts as the default.
    ///
    /// A running call renews its lease after each third of this time.
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Sets how long after its claim a running call renews its lease. Default: the `ttl`. Zero
    /// counts as the default.
    ///
    /// The lease ends after this time at the latest, and the key counts as interrupted, although
    /// the body may still run: a body that hangs would otherwise keep its key forever.
    /// [`OnLeaseLost`] decides about the body. Choose a time longer than any body runs.
    pub const fn max_renewal(mut self, time: Duration) -> Self {
        self.max_renewal = Some(time);
        self
    }

    /// Sets how long a call waits for a running call with the same key. Default: 5 s.
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// Rejects a call at once while another call with the same key is running.
    pub const fn reject(mut self) -> Self {
        self.wait = None;
        self
    }

    /// Sets the treatment of a key whose earlier call was interrupted. Default:
    /// [`Rerun`](OnInterrupted::Rerun).
    pub const fn on_interrupted(mut self, then: OnInterrupted) -> Self {
        self.on_interrupted = then;
        self
    }

    /// Sets the treatment of a call while the store is unavailable. Default:
    /// [`FailClosed`](OnStoreError::FailClosed).
    pub const fn on_store_error(mut self, then: OnStoreError) -> Self {
        self.on_store_error = then;
        self
    }

    /// Sets the treatment of a body that has lost its lease. Default:
    /// [`Continue`](OnLeaseLost::Continue).
    pub const fn on_lease_lost(mut self, then: OnLeaseLost) -> Self {
        self.on_lease_lost = then;
        self
    }

    /// Sets the result of a call whose outcome could not be stored. Default:
    /// [`Return`](OnUnsaved::Return).
    pub const fn on_unsaved(mut self, then: OnUnsaved) -> Self {
        self.on_unsaved = then;
        self
    }

    /// Sets the version of the outcome type. Default: 1.
    ///
    /// A stored outcome of another version is not decoded, and the call is rejected with
    /// [`Undecodable`](IdempotencyRejection::Undecodable).
    pub const fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// Sets the minimum length of a text key, in characters. Default: 1.
    ///
    /// A minimum rejects short keys that a stranger could guess.
    pub const fn min_key_length(mut self, characters: u32) -> Self {
        self.min_key_length = characters;
        self
    }

    /// Sets the maximum length of a stored outcome, in bytes. Default: 256 KiB.
    ///
    /// A longer outcome is recorded without its bytes. Repeated calls are then rejected with
    /// [`NotStored`](IdempotencyRejection::NotStored).
    pub const fn max_outcome(mut self, bytes: u32) -> Self {
        self.max_outcome = bytes as usize;
        self
    }

    /// Sets the timeout of a step of the store. Default: 500 ms. Zero counts as the default.
    pub const fn store_timeout(mut self, time: Duration) -> Self {
        self.store_timeout = time;
        self
    }

    /// Checks the settings against each other.
    ///
    /// # Errors
    /// [`InvalidPolicy`] if `store_timeout`, `ttl` or `lease` is zero, if `lease` is not shorter
    /// than `ttl`, if `max_renewal` is shorter than `lease`, if `min_key_length` is greater than
    /// the longest key, or for a blank name or a name with `*`.
    pub const fn validate(&self) -> Result<(), InvalidPolicy> {
        if let broken @ Err(_) = name(self.name) {
            return broken;
        }
        if let broken @ Err(_) = rules::min_key_length(self.min_key_length) {
            return broken;
        }
        if let broken @ Err(_) = rules::store_timeout(self.store_timeout) {
            return broken;
        }
        if let broken @ Err(_) = rules::lease_within_ttl(self.lease, self.ttl) {
            return broken;
        }
        match self.max_renewal {
            Some(time) => rules::lease_within_max_renewal(self.lease, time),
            None => Ok(()),
        }
    }

    /// Returns the policy of a call. A time of zero would end the protection of the key, so the
    /// default counts.
    fn in_use(mut self) -> Self {
        let times = [
            (&mut self.ttl, rules::TTL),
            (&mut self.lease, rules::LEASE),
            (&mut self.store_timeout, rules::STORE_TIMEOUT),
        ];
        for (time, default) in times {
            if time.is_zero() {
                *time = default;
            }
        }
        self.max_renewal = self.max_renewal.filter(|time| !time.is_zero());
        self
    }

    /// Returns how long after its claim a running call renews its lease.
    pub(super) fn renewal_limit(&self) -> Duration {
        self.max_renewal.unwrap_or(self.ttl)
    }

    /// Creates a call with this key. `fingerprint` adds the arguments that identify the call.
    ///
    /// # Errors
    /// [`MissingKey`](IdempotencyRejection::MissingKey) if the key is missing, and
    /// [`InvalidKey`](IdempotencyRejection::InvalidKey) if the key, the scope or an argument is
    /// invalid.
    pub fn call<S: Store + Clone>(
        &self,
        store: S,
        scope: Scope<'_>,
        key: &dyn KeyParts,
        fingerprint: impl FnOnce(FingerprintBuilder) -> FingerprintBuilder,
    ) -> Result<IdempotentCall<S>, Rejected> {
        self.call_or_key_error(store, scope, key, fingerprint)
            .map_err(|error| self.reject_key(error))
    }

    /// Creates a call, without counting an invalid key.
    pub(super) fn call_or_key_error<S: Store + Clone>(
        &self,
        store: S,
        scope: Scope<'_>,
        key: &dyn KeyParts,
        fingerprint: impl FnOnce(FingerprintBuilder) -> FingerprintBuilder,
    ) -> Result<IdempotentCall<S>, KeyError> {
        let secret = store.secret();
        let (key, scope_key) =
            record_key(&secret, self.name, scope, key, self.min_key_length as usize)?;
        let fingerprint = fingerprint(FingerprintBuilder::new(&secret, self.name)).finish()?;
        Ok(IdempotentCall::new(self.in_use(), store, key, fingerprint, scope.kind(), scope_key))
    }

    /// Rejects and counts a call with an invalid key.
    pub(super) fn reject_key(&self, error: KeyError) -> Rejected {
        let reason = key_rejection(error);
        let rejected = self.rejected(reason).because(error);
        log::key_rejected(self, reason);
        rejected
    }

    /// Returns the key of a record, from the scope and the key of its call.
    ///
    /// [`forget`](crate::forget) needs the key of a record. A job queue stores the key with each
    /// job, to find the job again in [`redrive`](crate::redrive).
    ///
    /// # Examples
    /// ```
    /// use resilience::Rejected;
    /// use resilience::idempotent::{IdempotencyPolicy, MemoryStore, RecordKey, Scope};
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
    /// [`MissingKey`](IdempotencyRejection::MissingKey) if the key is missing, and
    /// [`InvalidKey`](IdempotencyRejection::InvalidKey) if the key or the scope is invalid.
    pub fn key<S: Store>(
        &self,
        store: &S,
        scope: Scope<'_>,
        key: &dyn KeyParts,
    ) -> Result<RecordKey, Rejected> {
        record_key(&store.secret(), self.name, scope, key, self.min_key_length as usize)
            .map(|(key, _)| key)
            .map_err(|error| self.rejected(key_rejection(error)).because(error))
    }

    /// Returns whether a claim takes over an interrupted key. A reconciling call first claims
    /// without takeover, to learn of the interruption.
    pub(super) const fn takeover(&self) -> Takeover {
        match self.on_interrupted {
            OnInterrupted::Rerun => Takeover::Rerun,
            OnInterrupted::Unknown | OnInterrupted::Reconcile => Takeover::Never,
        }
    }

    pub(super) fn rejected(&self, reason: IdempotencyRejection) -> Rejected {
        Rejected::new(reason.into(), self.name, None)
    }
}

/// Returns the reason to reject a call with an invalid key.
const fn key_rejection(error: KeyError) -> IdempotencyRejection {
    if matches!(error, KeyError::Missing) {
        IdempotencyRejection::MissingKey
    } else {
        IdempotencyRejection::InvalidKey
    }
}
