//! What becomes of idempotent calls and their records: events of `tracing`, and counters of `metrics`. A key
//! is shown by 8 of its digits.

use core::time::Duration;

use crate::key::RecordKey;
use crate::store_error::StoreError;
use resilience_core::{IdempotencyRejection, Rejected, RejectedKind};

/// What was decided of a call.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "only the log reads all of it"))]
pub(super) enum Decision<'r> {
    Acquired { attempt: u32, fence: u64 },
    Replayed,
    DuplicateExecution,
    Fenced,
    Unsaved,
    Rejected(&'r Rejected),
}

impl Decision<'_> {
    /// For the log and the counters.
    #[cfg_attr(
        not(any(feature = "tracing", feature = "metrics")),
        expect(dead_code, reason = "nobody asks")
    )]
    fn word(self) -> &'static str {
        match self {
            Self::Acquired { .. } => "acquired",
            Self::Replayed => "replayed",
            Self::DuplicateExecution => "duplicate_execution",
            Self::Fenced => "fenced",
            Self::Unsaved => "unsaved",
            Self::Rejected(rejected) => match rejected.kind() {
                RejectedKind::Idempotency(IdempotencyRejection::MissingKey) => "missing_key",
                RejectedKind::Idempotency(IdempotencyRejection::InvalidKey) => "invalid_key",
                RejectedKind::Idempotency(IdempotencyRejection::KeyReused) => "mismatch",
                RejectedKind::Idempotency(IdempotencyRejection::InFlight) => "in_flight",
                RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown) => "interrupted",
                RejectedKind::Idempotency(IdempotencyRejection::LeaseLost) => "lease_lost",
                RejectedKind::Idempotency(IdempotencyRejection::Undecodable) => "undecodable",
                RejectedKind::Idempotency(IdempotencyRejection::NotStored) => "not_stored",
                RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable) => "unavailable",
                _ => "rejected",
            },
        }
    }
}

/// One of these for each feature; without it, nothing.
macro_rules! counted {
    ($name:literal, $by:expr $(, $label:literal => $value:expr)*) => {
        #[cfg(feature = "metrics")]
        metrics::counter!($name $(, $label => $value)*).increment($by);
    };
}

/// Tells what was decided of a call, and how long it had to wait for that.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "for the log"))]
pub(super) fn decided(
    name: &'static str,
    key: RecordKey,
    scope: &str,
    decision: Decision<'_>,
    waited: Option<Duration>,
) {
    counted!("resilience_idempotent_calls", 1, "function" => name, "decision" => decision.word());
    #[cfg(feature = "tracing")]
    {
        macro_rules! tell {
            ($level:ident $(, $field:ident = $value:expr)*) => {
                tracing::event!(
                    target: "resilience", tracing::Level::$level, function = name,
                    key = key.short(), scope, decision = decision.word(),
                    waited_ms = waited.map(millis), $($field = $value,)* "idempotent"
                )
            };
        }
        match decision {
            Decision::Acquired { attempt, fence } => {
                tell!(DEBUG, attempt = attempt, fence = fence);
            }
            Decision::Replayed => tell!(INFO),
            Decision::DuplicateExecution | Decision::Fenced | Decision::Unsaved => tell!(WARN),
            Decision::Rejected(rejected) => {
                tell!(DEBUG, retry_after_ms = rejected.retry_after().map(millis));
            }
        }
    }
}

/// Counts a call that was turned away for its key, before there was anything to ask the store. The attribute tells
/// it as any rejection.
#[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "for the counters"))]
pub(super) fn refused(rejected: &Rejected) {
    counted!(
        "resilience_idempotent_calls", 1,
        "function" => rejected.name(), "decision" => Decision::Rejected(rejected).word()
    );
}

/// Tells of a store that did not do what it was asked, and what becomes of that.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "for the log"))]
pub(super) fn store_error(name: &'static str, key: RecordKey, what: &str, error: &StoreError) {
    counted!("resilience_idempotent_store_errors", 1, "function" => name);
    #[cfg(feature = "tracing")]
    {
        let cause = core::error::Error::source(error).map(tracing::field::display);
        tracing::warn!(
            target: "resilience", function = name, key = key.short(), %error, cause,
            "idempotent: {what}"
        );
    }
}

/// Counts records that have expired.
#[cfg_attr(
    not(any(feature = "tracing", feature = "metrics")),
    expect(unused_variables, reason = "for the log and the counters")
)]
pub(super) fn purged(records: usize) {
    counted!("resilience_idempotent_purged", u64::try_from(records).unwrap_or(u64::MAX));
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "resilience", records, "idempotent: purged");
}

/// Tells of an interrupted call that was driven on.
#[cfg_attr(not(feature = "tracing"), allow(unused_variables, reason = "for the log"))]
pub(super) fn redriven(name: &str, key: RecordKey, driven: bool) {
    counted!(
        "resilience_idempotent_redriven", 1,
        "function" => name.to_owned(), "driven" => if driven { "yes" } else { "no" }
    );
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: "resilience", function = name, key = key.short(), driven, "idempotent: redriven"
    );
}

/// Tells of a record that was removed by hand.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "for the log"))]
pub(super) fn forgotten(key: RecordKey) {
    counted!("resilience_idempotent_forgotten", 1);
    #[cfg(feature = "tracing")]
    tracing::info!(target: "resilience", key = key.short(), "idempotent: forgotten");
}

#[cfg(feature = "tracing")]
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
