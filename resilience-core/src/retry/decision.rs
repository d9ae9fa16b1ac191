//! The decision after a failed attempt.

use core::time::Duration;

use super::live::{self, RetryCode};
use super::policy::{Limits, RetryPolicy};
use super::state::Progress;
use crate::backoff::{Backoff, scale};
use crate::budget::Spending;
use crate::classify::{FailureClass, FailureKind};
use crate::clock;
use crate::context::{current, nesting};
use crate::event::{DelaySource, StopReason};
use crate::jitter::Jitter;
use crate::mode;
use crate::random;
use crate::registry::Record;
use crate::rejection_signal::RejectionSignal;
use crate::switch;

/// A failed attempt.
pub(super) struct FailedAttempt {
    pub(super) class: FailureClass,
    /// For how long a circuit below rejects every call.
    open_for: Duration,
}

impl FailedAttempt {
    #[inline]
    pub(super) fn new(class: FailureClass, signal: Option<&RejectionSignal>) -> Self {
        Self { class, open_for: signal.map_or(Duration::ZERO, RejectionSignal::open_for) }
    }
}

/// The input of a decision.
pub(super) struct Failure<'s> {
    pub(super) attempt: FailedAttempt,
    pub(super) elapsed: Duration,
    pub(super) spending: Option<&'s Spending<'s>>,
}

/// The result of a decision, before hooks and logs.
pub(super) enum Decision {
    Retry { next: Progress, delay: Duration, source: DelaySource },
    GiveUp(StopReason),
}

/// Decides under the settings in use. Returns the decision and the number of attempts.
#[inline]
pub(super) fn decide_live<B: Backoff>(
    record: &Record,
    policy: &RetryPolicy<B>,
    progress: Progress,
    failure: Failure<'_>,
) -> (Decision, Option<u32>) {
    let live = if mode::has_settings() {
        live::overridden(record, &policy.limits, &policy.backoff)
    } else {
        None
    };
    let backoff: &dyn Backoff = &policy.backoff;
    let (limits, backoff) = match &live {
        None => (&policy.limits, backoff),
        Some(RetryCode { limits, schedule }) => {
            let schedule = schedule.as_ref().map(|schedule| schedule as &dyn Backoff);
            (limits, schedule.unwrap_or(backoff))
        }
    };
    (decide(progress, limits, backoff, failure), limits.attempts())
}

/// Applies the rules, in the order of their reporting.
fn decide(
    progress: Progress,
    limits: &Limits,
    backoff: &dyn Backoff,
    Failure { attempt: FailedAttempt { class, open_for }, elapsed, spending }: Failure<'_>,
) -> Decision {
    let attempt = progress.attempt;
    if class.kind == FailureKind::Permanent || progress.history.is_used_up(class) {
        return Decision::GiveUp(StopReason::Permanent);
    }
    if class.is_rejection && !limits.waits_for_rejections {
        return Decision::GiveUp(StopReason::Rejected);
    }
    if !limits.idempotent && !class.effect.is_not_applied() {
        return Decision::GiveUp(StopReason::NotIdempotent);
    }
    if !class.is_rejection && limits.attempts().is_some_and(|attempts| attempt.get() >= attempts) {
        return Decision::GiveUp(StopReason::Attempts);
    }
    if !switch::is_enabled() || !limits.enabled {
        return Decision::GiveUp(StopReason::Disabled);
    }
    if !class.is_rejection && nesting::outer(limits.nested).is_some_and(|(_, is_sole)| is_sole) {
        return Decision::GiveUp(StopReason::Nested);
    }
    if !limits.replayable {
        return Decision::GiveUp(StopReason::BodyNotReplayable);
    }
    let asked = class.after.filter(|after| !after.is_zero());
    if asked.is_some_and(|after| after > limits.max_retry_after) {
        return Decision::GiveUp(StopReason::RetryAfter);
    }
    let spread = |kind, time| match limits.jitter {
        Some(Jitter::None) => Duration::ZERO,
        _ => spread(kind, time, elapsed),
    };
    let (delay, source, backoffs) = if let Some(after) = asked {
        let spread = if class.is_rejection { spread(class.kind, after) } else { Duration::ZERO };
        (after.saturating_add(spread), DelaySource::Server, 0)
    } else {
        let retry = progress.backoffs.saturating_add(1);
        let previous = (retry > 1).then(|| progress.history.delay());
        (limits.delay(backoff, class, retry, previous), DelaySource::Backoff, retry)
    };
    // The circuit below would reject the next attempt, and hide this failure.
    let is_open = open_for > delay;
    if is_open && (!limits.waits_for_rejections || open_for > limits.max_retry_after) {
        return Decision::GiveUp(StopReason::CircuitOpen);
    }
    let (delay, source, backoffs) = if is_open {
        let spread = spread(FailureKind::Transient, open_for);
        (open_for.saturating_add(spread), DelaySource::Server, 0)
    } else {
        (delay, source, backoffs)
    };
    if limits.deadline.is_some_and(|deadline| limits.waits.end(elapsed, delay) >= deadline) {
        return Decision::GiveUp(StopReason::Deadline);
    }
    if let Some(deadline) = current::deadline_outside(limits.function) {
        let rest = deadline.since(clock::now());
        if limits.waits.end(rest, delay).saturating_sub(rest) >= rest {
            return Decision::GiveUp(StopReason::Deadline);
        }
    }
    if class.is_rejection {
        // Nothing was sent: the attempt is made again, and the budget of retries is not touched.
        if limits
            .longest_wait_for_rejections()
            .is_some_and(|longest| elapsed.saturating_add(delay) > longest)
        {
            return Decision::GiveUp(StopReason::Rejected);
        }
        let history = progress.history.after(class, delay);
        return Decision::Retry { next: Progress { backoffs, history, ..progress }, delay, source };
    }
    // The budget comes last, so that no withdrawal is made for a retry that another rule forbids.
    if spending.is_some_and(|spending| !spending.withdraw(class.kind)) {
        return Decision::GiveUp(StopReason::Budget);
    }
    let next = Progress {
        attempt: attempt.saturating_add(1),
        backoffs,
        history: progress.history.after(class, delay),
        ..progress
    };
    Decision::Retry { next, delay, source }
}

/// Returns the random time after a local rejection that keeps the rejected callers apart.
///
/// The callers of a rate limit compete for its permits, so the range grows with the time that the
/// call has waited, as in exponential backoff. A breaker that closes admits all callers: a tenth of
/// the time keeps them apart.
fn spread(kind: FailureKind, after: Duration, elapsed: Duration) -> Duration {
    let range = match kind {
        FailureKind::Throttled => after.max(elapsed),
        FailureKind::Transient | FailureKind::Permanent => after / 10,
    };
    scale(range, random::timing_draw())
}
