//! Events of `tracing` and counters of `metrics` for idempotent calls and their records.
//!
//! Events and counters never show a key, a scope, an argument or an outcome. A record key is shown
//! by 8 of its hexadecimal digits.

use core::fmt;
use core::time::Duration;

use crate::key::RecordKey;
use crate::policy::IdempotencyPolicy;
use crate::store_error::StoreError;
use resilience_core::__internal::{Timestamp, count_maintenance, log_event, now, slot};
use resilience_core::IdempotencyRejection;

/// A decision about a call.
#[derive(Clone, Copy)]
pub(super) enum Decision {
    Acquired {
        attempt: u32,
        fence: u64,
    },
    Replayed,
    DuplicateExecution,
    Fenced,
    /// The lease has reached `max_renewal`, and the body still runs.
    RenewalEnded,
    Unsaved,
    Rejected {
        reason: IdempotencyRejection,
        retry_after: Option<Duration>,
    },
}

impl Decision {
    /// Returns the word for the log.
    const fn label(self) -> &'static str {
        match self {
            Self::Acquired { .. } => "acquired",
            Self::Replayed => "replayed",
            Self::DuplicateExecution => "duplicate_execution",
            Self::Fenced => "fenced",
            Self::RenewalEnded => "renewal_ended",
            Self::Unsaved => "unsaved",
            Self::Rejected { reason, .. } => reason.label(),
        }
    }
}

/// The consequence of a failed step of the store.
#[derive(Clone, Copy)]
pub(super) enum StoreFailure {
    /// The call is rejected.
    Rejected,
    /// The step is repeated.
    Retrying,
    /// The body runs without a claim.
    Unprotected,
    /// The lease is not renewed.
    LeaseNotRenewed,
    /// The outcome is not stored.
    Unsaved,
    /// The store is full. The completion is stored without its outcome.
    OutcomeDropped,
    /// The claim stays until the end of the lease, instead of being released.
    NotReleased,
    /// The claim stays until the end of the lease, instead of being abandoned.
    NotAbandoned,
}

impl StoreFailure {
    const fn label(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Retrying => "retrying",
            Self::Unprotected => "unprotected",
            Self::LeaseNotRenewed => "lease_not_renewed",
            Self::Unsaved => "unsaved",
            Self::OutcomeDropped => "outcome_dropped",
            Self::NotReleased => "not_released",
            Self::NotAbandoned => "not_abandoned",
        }
    }
}

/// Emits and counts a decision about a call of a policy. The call began at `begin`.
pub(super) fn decided(
    policy: &IdempotencyPolicy,
    key: RecordKey,
    scope: &str,
    decision: Decision,
    begin: Option<Timestamp>,
) {
    let record = policy.record();
    match decision {
        Decision::Acquired { .. } => record.count(slot::SUCCESS),
        Decision::Replayed => record.count(slot::REPLAYED),
        Decision::DuplicateExecution => record.count(slot::DUPLICATES),
        Decision::Fenced => record.count(slot::LEASES_LOST),
        Decision::Unsaved => record.count(slot::UNSAVED),
        Decision::Rejected { reason, .. } => policy.site().count_idempotency_rejection(reason),
        Decision::RenewalEnded => {}
    }
    macro_rules! emit {
        ($level:ident $(, $field:ident: $kind:ident = $value:expr)*) => {
            log_event!($level, "idempotent call", {
                function: value = policy.name,
                key: value = key.short(),
                scope: value = scope,
                decision: value = decision.label(),
                waited_ms: option = begin.map(|begin| millis(now().since(begin))),
                $($field: $kind = $value),*
            })
        };
    }
    match decision {
        Decision::Acquired { attempt, fence } => {
            emit!(DEBUG, attempt: value = attempt, fence: value = fence);
        }
        Decision::Replayed => emit!(INFO),
        Decision::DuplicateExecution
        | Decision::Fenced
        | Decision::RenewalEnded
        | Decision::Unsaved => emit!(WARN),
        Decision::Rejected { retry_after, .. } => {
            emit!(DEBUG, retry_after_ms: option = retry_after.map(millis));
        }
    }
}

/// Counts a call that is rejected for its key. The attribute emits the event, as for every
/// rejection.
pub(super) fn key_rejected(policy: &IdempotencyPolicy, reason: IdempotencyRejection) {
    policy.record();
    policy.site().count_idempotency_rejection(reason);
}

/// Emits and counts a failed step of the store.
pub(super) fn store_error(
    policy: &IdempotencyPolicy,
    key: RecordKey,
    consequence: StoreFailure,
    error: &StoreError,
) {
    policy.record().count(slot::STORE_ERRORS);
    log_event!(WARN, "store error", {
        function: value = policy.name,
        key: value = key.short(),
        error: text = ErrorWithSource(error),
        decision: value = consequence.label(),
    });
}

/// An error of the store, and its source.
struct ErrorWithSource<'e>(&'e StoreError);

impl fmt::Display for ErrorWithSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match core::error::Error::source(self.0) {
            None => self.0.fmt(f),
            Some(source) => write!(f, "{}: {source}", self.0),
        }
    }
}

/// Emits and counts the removal of expired records.
pub(super) fn purged(records: usize) {
    let by = u64::try_from(records).unwrap_or(u64::MAX);
    count_maintenance("resilience.idempotent.purged", &[], by);
    log_event!(DEBUG, "records purged", { records: value = records });
}

/// Emits and counts an interrupted call, after the function given to `redrive` has returned.
pub(super) fn redriven(function: &str, key: RecordKey, driven: bool) {
    let labels = [
        ("resilience.policy.name", function),
        ("resilience.idempotent.driven", if driven { "yes" } else { "no" }),
    ];
    count_maintenance("resilience.idempotent.redriven", &labels, 1);
    log_event!(INFO, "call redriven", {
        function: value = function,
        key: value = key.short(),
        driven: value = driven,
    });
}

/// Emits and counts the removal of a record by `forget`.
pub(super) fn forgotten(key: RecordKey) {
    count_maintenance("resilience.idempotent.forgotten", &[], 1);
    log_event!(INFO, "record forgotten", { key: value = key.short() });
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
