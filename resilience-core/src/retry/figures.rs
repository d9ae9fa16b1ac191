//! The figures of retries.

use core::time::Duration;

use super::live::RetryCode;
use super::policy::{DEFAULT_NAME, Limits, RetryPolicy};
use super::state::RetryState;
use crate::backoff::{Backoff, Schedule};
use crate::classify::{FailureClass, FailureKind};
use crate::clock;
use crate::context::nesting::Nested;
use crate::duration::Exact;
use crate::event::{DelaySource, StopReason};
use crate::figures::stripes::Counters;
use crate::figures::table::{Slot, slot};
use crate::jitter::Jitter;
use crate::mode;
use crate::registry::explain_policy;
use crate::registry::facts::{Facts, Repeats, facts_in_use};
use crate::registry::{Explanation, PolicyKind, Record, Setting, Site};

impl RetryState {
    /// Counts a successful call, if successes are counted.
    #[cold]
    pub fn count_success<B: Backoff>(self, policy: &RetryPolicy<B>) {
        counted(policy, DEFAULT_NAME, self.attempt_number(), ());
    }
}

impl<B: Backoff> RetryPolicy<B> {
    /// Explains the settings: the delays and the most calls, in words and as data.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::RetryPolicy;
    ///
    /// let explanation = RetryPolicy::new().attempts(3).explain();
    /// assert_eq!(explanation.max_calls, Some(3));
    /// assert_eq!(explanation.delays, [100, 200].map(Duration::from_millis));
    /// ```
    #[must_use]
    pub fn explain(&self) -> Explanation {
        let Limits { name, location, .. } = self.limits;
        let (name, schedule) = (name.unwrap_or(DEFAULT_NAME), self.backoff.schedule());
        let code = RetryCode { limits: self.limits, schedule };
        let facts = Facts::Repeats(repeats(&self.limits, schedule));
        let facts = facts_in_use(PolicyKind::Retry, name, &code, facts);
        explain_policy(name, PolicyKind::Retry, location, facts)
    }
}

/// Counts a successful call, if successes are counted, and returns the outcome. The outcome is
/// passed by value, so that it needs no address on the happy path. `name` is the name of the
/// function, `attempt` the number of the attempt.
#[cold]
#[inline(never)]
pub fn counted<B: Backoff, O>(
    policy: &RetryPolicy<B>,
    name: &'static str,
    attempt: u32,
    out: O,
) -> (O,) {
    if mode::is_counting() {
        let record = record(policy, name);
        let counters = record.counters();
        counters.add(slot::SUCCESS, 1);
        count_attempt(counters, attempt);
    }
    (out,)
}

/// Returns the record of a policy. `name` is the name of the function.
#[inline]
pub(super) fn record<B: Backoff>(policy: &RetryPolicy<B>, name: &'static str) -> &'static Record {
    let RetryPolicy { limits, backoff } = policy;
    let name = limits.name.unwrap_or(name);
    Site::remembered(PolicyKind::Retry, name, limits.location, limits.depth)
        .unwrap_or_else(|| find_record(limits, backoff, name))
}

/// Returns the record, which is new or of another thread, with the settings of the policy.
#[cold]
#[inline(never)]
fn find_record(limits: &Limits, backoff: &dyn Backoff, name: &'static str) -> &'static Record {
    let site = Site::new(PolicyKind::Retry, name, limits.location, limits.depth);
    site.record_with(|record| {
        let schedule = backoff.schedule();
        record
            .keep_facts(|| (settings(limits, backoff), Facts::Repeats(repeats(limits, schedule))));
        record.keep_code(|| Box::new(RetryCode { limits: *limits, schedule }));
        if let Some(budget) = limits.budget {
            record.keep_budget(budget);
        }
    })
}

#[inline]
pub(super) fn count_attempt(counters: Counters<'_>, number: u32) {
    counters.add(if number > 1 { slot::RETRY_ATTEMPTS } else { slot::FIRST_ATTEMPTS }, 1);
}

/// Counts a scheduled retry.
pub(super) fn count_retry(
    counters: Counters<'_>,
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
    counters.add(slot::RETRIES.plus(reason + offset), 1);
    counters.add(time, clock::nanos(delay));
}

/// Counts a call that ends in failure.
pub(super) fn count_stop(counters: Counters<'_>, reason: StopReason) {
    counters.add(slot::FAILURE, 1);
    counters.add(Slot::of_stop(reason), 1);
}

/// Returns the effect of a retry. The code of a backoff of the user's, without a `schedule`, does
/// not run for an explanation.
pub(super) fn repeats(limits: &Limits, schedule: Option<Schedule>) -> Repeats {
    Repeats {
        attempts: limits.attempts(),
        delays: schedule.map(|schedule| limits.longest_delays(&schedule)),
        initial_delay: limits.initial_delay,
        deadline: limits.deadline,
        max_retry_after: limits.max_retry_after,
        waits_for_rejections: limits.waits_for_rejections,
        has_budget: limits.budget.is_some(),
        is_outer_only: limits.nested == Nested::OuterOnly,
    }
}

fn settings(limits: &Limits, backoff: &dyn Backoff) -> Vec<Setting> {
    let mut list = Vec::new();
    match limits.attempts() {
        Some(attempts) => list.push(Setting::code("attempts", attempts)),
        None => list.push(Setting::code("attempts", "unlimited")),
    }
    list.extend(limits.initial_delay.map(|time| Setting::code("initial_delay", Exact(time))));
    if let Some(schedule) = backoff.schedule() {
        list.extend(schedule.settings());
        let max_delay = limits.max_delay.unwrap_or_else(|| schedule.default_max_delay());
        if max_delay < Duration::MAX {
            list.push(Setting::code("max_delay", Exact(max_delay)));
        }
    } else {
        list.push(Setting::code("backoff", "custom"));
        list.extend(limits.max_delay.map(|time| Setting::code("max_delay", Exact(time))));
    }
    let jitter = limits.jitter.or_else(|| Some(backoff.schedule()?.default_jitter()));
    list.extend(jitter.map(|jitter| match jitter {
        Jitter::None => Setting::code("jitter", "none"),
        Jitter::Full => Setting::code("jitter", "full"),
        Jitter::Equal => Setting::code("jitter", "equal"),
        Jitter::Decorrelated => Setting::code("jitter", "decorrelated"),
        Jitter::Ratio(ratio) => Setting::code("jitter", ratio),
        Jitter::UpTo(width) => Setting::code("jitter", Exact(width)),
    }));
    list.extend(limits.deadline.map(|time| Setting::code("deadline", Exact(time))));
    list.push(Setting::code("max_retry_after", Exact(limits.max_retry_after)));
    list.push(Setting::code("idempotent", limits.idempotent));
    let on_rejection = if limits.waits_for_rejections { "wait" } else { "stop" };
    list.push(Setting::code("on_rejection", on_rejection));
    let nested = match limits.nested {
        Nested::Multiply => "multiply",
        Nested::OuterOnly => "outer_only",
    };
    list.push(Setting::code("nested", nested));
    list
}
