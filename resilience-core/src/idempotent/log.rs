//! What an idempotent call decides, as events of `tracing`. A key is shown by 8 of its digits.

use core::time::Duration;

use super::key::RecordKey;
use super::store::StoreError;
use crate::rejected::Rejected;

/// What was decided.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "only the log reads it"))]
pub(super) enum Decision<'r> {
    Acquired { attempt: u32, fence: u64 },
    Replayed,
    DuplicateExecution,
    Rejected(&'r Rejected),
}

#[cfg(feature = "tracing")]
mod told {
    use super::{Decision, Duration, RecordKey, StoreError};

    pub(in super::super) fn decided(
        name: &str,
        key: RecordKey,
        scope: &str,
        decision: Decision<'_>,
        waited: Option<Duration>,
    ) {
        let key = key.short();
        let waited_ms = waited.map(millis);
        match decision {
            Decision::Acquired { attempt, fence } => tracing::debug!(
                target: "resilience", function = name, key, scope, attempt, fence, waited_ms,
                decision = "acquired", "idempotent"
            ),
            Decision::Replayed => tracing::info!(
                target: "resilience", function = name, key, scope, waited_ms,
                decision = "replayed", "idempotent"
            ),
            Decision::DuplicateExecution => tracing::warn!(
                target: "resilience", function = name, key,
                decision = "duplicate_execution", "idempotent"
            ),
            Decision::Rejected(rejected) => tracing::debug!(
                target: "resilience", function = name, key, scope,
                retry_after_ms = rejected.retry_after().map(millis),
                decision = %rejected.kind(), "idempotent"
            ),
        }
    }

    pub(in super::super) fn store_error(
        name: &str,
        key: RecordKey,
        what: &str,
        error: &StoreError,
    ) {
        let cause = std::error::Error::source(error).map(tracing::field::display);
        tracing::warn!(
            target: "resilience", function = name, key = key.short(), %error, cause,
            "idempotent: {what}"
        );
    }

    pub(in super::super) fn lease_lost(name: &str, key: RecordKey) {
        tracing::warn!(
            target: "resilience", function = name, key = key.short(),
            decision = "fenced", "idempotent: lease lost"
        );
    }

    fn millis(time: Duration) -> u64 {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(not(feature = "tracing"))]
mod told {
    use super::{Decision, Duration, RecordKey, StoreError};

    pub(in super::super) fn decided(
        _: &str,
        _: RecordKey,
        _: &str,
        _: Decision<'_>,
        _: Option<Duration>,
    ) {
    }

    pub(in super::super) fn store_error(_: &str, _: RecordKey, _: &str, _: &StoreError) {}

    pub(in super::super) fn lease_lost(_: &str, _: RecordKey) {}
}

pub(super) use told::{decided, lease_lost, store_error};
