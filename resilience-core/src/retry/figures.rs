//! The figures of retries.

use core::time::Duration;

use super::policy::{Limits, RetryPolicy};
use super::state::RetryState;
use crate::backoff::Backoff;
use crate::classify::{FailureClass, FailureKind};
use crate::duration::Exact;
use crate::event::{DelaySource, StopReason};
use crate::figures::table::slot;
use crate::mode;
use crate::registry::{PolicyKind, Record, Setting, Site};

impl RetryState {
    /// Counts a successful call, if successes are counted. `name` is the name of the function.
    #[cold]
    pub fn count_success<B: Backoff>(self, policy: &RetryPolicy<B>, name: &'static str) {
        if mode::is_counting() {
            let record = record(&policy.limits, &policy.backoff, name);
            record.count(slot::SUCCESS);
            count_attempt(record, self.attempt(policy).number());
        }
    }
}

/// Returns the record of a policy. `name` is the name of the function.
pub(super) fn record(
    limits: &Limits,
    backoff: &dyn Backoff,
    name: &'static str,
) -> &'static Record {
    let (name, location) = (limits.name.unwrap_or(name), limits.location);
    let record = Site { kind: PolicyKind::Retry, name, location, limit: None }.record();
    record.keep_settings(|| settings(limits, backoff));
    record
}

pub(super) fn count_attempt(record: &Record, number: u32) {
    record.count(if number > 1 { slot::RETRY_ATTEMPTS } else { slot::FIRST_ATTEMPTS });
}

/// Counts a scheduled retry.
pub(super) fn count_retry(
    record: &Record,
    class: FailureClass,
    source: DelaySource,
    delay: Duration,
) {
    let reason = match class {
        FailureClass { is_rejection: true, .. } => 4,
        FailureClass { kind: FailureKind::Throttled, .. } => 2,
        _ => 0,
    };
    let (offset, time) = match source {
        DelaySource::Backoff => (0, slot::BACKOFF_TIME),
        DelaySource::Server => (1, slot::SERVER_TIME),
    };
    record.count(slot::RETRIES.plus(reason + offset));
    record.add_time(time, delay);
}

/// Counts a call that ends in failure.
pub(super) fn count_stop(record: &Record, reason: StopReason) {
    let offset = match reason {
        StopReason::Permanent => 0,
        StopReason::NotIdempotent => 1,
        StopReason::Attempts => 2,
        StopReason::BodyNotReplayable => 3,
        StopReason::Deadline => 4,
        StopReason::RetryAfter => 5,
        StopReason::Budget => 6,
        StopReason::Rejected => 7,
        StopReason::Disabled => 8,
    };
    record.count(slot::FAILURE);
    record.count(slot::STOPS.plus(offset));
}

fn settings(limits: &Limits, _backoff: &dyn Backoff) -> Vec<Setting> {
    let mut list = Vec::new();
    match limits.attempts {
        Some(attempts) => list.push(Setting::code("attempts", attempts)),
        None => list.push(Setting::code("attempts", "unlimited")),
    }
    list.extend(limits.max_delay.map(|time| Setting::code("max_delay", Exact(time))));
    list.extend(limits.deadline.map(|time| Setting::code("deadline", Exact(time))));
    list.push(Setting::code("max_retry_after", Exact(limits.max_retry_after)));
    list.push(Setting::code("idempotent", limits.idempotent));
    let on_rejection = if limits.waits_for_rejections { "wait" } else { "stop" };
    list.push(Setting::code("on_rejection", on_rejection));
    list
}
