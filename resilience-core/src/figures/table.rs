//! The table of figures: the only place with their names, units and labels.

use core::time::Duration;
use std::borrow::Cow;
use std::sync::Arc;

use super::histogram::Histogram;
use crate::event::StopReason;
use crate::registry::PolicyKind;
use crate::rejected::IdempotencyRejection as Rejection;

/// The meaning of a figure: a row of the table of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FigureInfo {
    /// The name in the shape of OpenTelemetry, such as `resilience.calls`.
    pub name: &'static str,
    /// The unit in the notation of UCUM, such as `s` or `{call}`.
    pub unit: &'static str,
    /// The kind of the value.
    pub kind: FigureKind,
    /// The names of the labels, beside [`FigureInfo::POLICY_LABELS`].
    pub labels: &'static [&'static str],
    /// The meaning in one sentence.
    pub help: &'static str,
}

/// The kind of a figure: whether the figure only grows, and the form of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FigureKind {
    /// The figure grows, and never goes down.
    Counter,
    /// The figure is a current value.
    Gauge,
    /// The figure is a distribution, whose counts never go down.
    Histogram,
}

/// The labels of a figure, as pairs of name and value.
pub type Labels = Cow<'static, [(&'static str, &'static str)]>;

/// The value of a figure with these labels.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Figure {
    /// The row of the table.
    pub info: &'static FigureInfo,
    /// The labels, in the order of [`FigureInfo::labels`].
    pub labels: Labels,
    /// The value.
    pub value: FigureValue,
}

/// The value of a figure.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FigureValue {
    /// A number of calls, permits, keys or changes.
    Count(u64),
    /// A sum of times; the unit is `s`.
    Time(Duration),
    /// A distribution of durations; the unit is `s`.
    Histogram(Arc<Histogram>),
}

impl FigureValue {
    /// Returns the number, or the time in seconds; for a distribution the number of durations.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
    pub fn as_f64(&self) -> f64 {
        match self {
            Self::Count(count) => *count as f64,
            Self::Time(time) => time.as_secs_f64(),
            Self::Histogram(histogram) => histogram.count() as f64,
        }
    }

    /// Returns the number, or the time in whole nanoseconds; for a distribution the number of
    /// durations.
    #[must_use]
    pub fn as_u64(&self) -> u64 {
        match self {
            Self::Count(count) => *count,
            Self::Time(time) => crate::clock::nanos(*time),
            Self::Histogram(histogram) => histogram.count(),
        }
    }

    /// Returns the sum of two values of a figure.
    #[doc(hidden)]
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Time(sum), Self::Time(time)) => Self::Time(sum.saturating_add(*time)),
            (Self::Histogram(one), Self::Histogram(other)) => {
                Self::Histogram(Arc::new(one.merged(other)))
            }
            (one, other) => Self::Count(one.as_u64().saturating_add(other.as_u64())),
        }
    }
}

impl Figure {
    pub(crate) fn gauge(info: &'static FigureInfo, value: u64) -> Self {
        Self { info, labels: Labels::default(), value: FigureValue::Count(value) }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Figure {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        struct Pairs<'l>(&'l Labels);
        impl serde::Serialize for Pairs<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().copied())
            }
        }
        let mut figure = serializer.serialize_struct("Figure", 4)?;
        figure.serialize_field("name", self.info.name)?;
        figure.serialize_field("unit", self.info.unit)?;
        figure.serialize_field("labels", &Pairs(&self.labels))?;
        match &self.value {
            FigureValue::Count(count) => figure.serialize_field("value", count)?,
            FigureValue::Time(time) => figure.serialize_field("value", &time.as_secs_f64())?,
            FigureValue::Histogram(histogram) => figure.serialize_field("value", &**histogram)?,
        }
        figure.end()
    }
}

impl FigureInfo {
    /// The labels that exporters add to every figure: the name and the kind of the policy.
    pub const POLICY_LABELS: [&'static str; 2] =
        ["resilience.policy.name", "resilience.policy.kind"];

    /// Returns the table of all figures, in a stable order.
    #[must_use]
    pub const fn all() -> &'static [&'static Self] {
        ALL
    }
}

pub(crate) const OUTCOME: &str = "resilience.outcome";
const REJECTION: &str = "resilience.rejection.kind";
const ATTEMPT: &str = "resilience.attempt.type";
const REASON: &str = "resilience.retry.reason";
const SOURCE: &str = "resilience.retry.delay_source";
const STOP: &str = "resilience.retry.stop_reason";
const HEDGE_CAUSE: &str = "resilience.hedge.cause";
const HEDGE_END: &str = "resilience.hedge.reason";
const FROM: &str = "resilience.circuit_breaker.from";
const TO: &str = "resilience.circuit_breaker.to";
const CHANGE: &str = "resilience.circuit_breaker.reason";
const STATE: &str = "resilience.circuit_breaker.state";

macro_rules! figures {
    ($($id:ident = $kind:ident $name:literal $unit:literal [$($label:ident),*] $help:literal;)*) => {
        $(
            pub(crate) static $id: FigureInfo = FigureInfo {
                name: $name,
                unit: $unit,
                kind: FigureKind::$kind,
                labels: &[$($label),*],
                help: $help,
            };
        )*
        const ALL: &[&FigureInfo] = &[$(&$id),*];
    };
}

figures! {
    CALLS = Counter "resilience.calls" "{call}" [OUTCOME] "Finished calls, by outcome.";
    REJECTIONS = Counter "resilience.rejections" "{call}" [REJECTION]
        "Rejected calls, by the kind of the rejection.";
    SHADOW_REJECTIONS = Counter "resilience.shadow_rejections" "{call}" []
        "Calls that a policy in shadow mode would have rejected.";
    CALL_DURATION = Histogram "resilience.call.duration" "s" [OUTCOME]
        "Durations of calls of an annotated function, with all attributes, by outcome.";
    WAITS = Counter "resilience.waits" "{call}" []
        "Calls that waited for a permit, and no longer wait.";
    WAIT_TIME = Counter "resilience.wait.time" "s" [] "The sum of the waits for a permit.";
    WAIT_DURATION = Histogram "resilience.wait.duration" "s" [] "Durations of the waits for a permit.";
    ATTEMPTS = Counter "resilience.retry.attempts" "{attempt}" [ATTEMPT]
        "Finished attempts: first attempts and retries, without attempts that a policy rejected.";
    RETRIES = Counter "resilience.retry.retries" "{retry}" [REASON, SOURCE]
        "Scheduled retries, by the class of the failure and the source of the delay.";
    DELAY_TIME = Counter "resilience.retry.delay.time" "s" [SOURCE]
        "The sum of the delays before retries, by the source of the delay.";
    STOPS = Counter "resilience.retry.stops" "{call}" [STOP]
        "Calls that ended in failure, by the reason for no further attempt.";
    NESTED = Counter "resilience.retry.nested" "{retry}" []
        "Scheduled retries inside an attempt of another retry, which multiply.";
    HEDGES = Counter "resilience.hedge.hedges" "{attempt}" [HEDGE_CAUSE]
        "Started hedges: after the delay, or after a failure of another attempt.";
    HEDGE_WINS = Counter "resilience.hedge.wins" "{call}" []
        "Calls that a hedge ended with a success.";
    HEDGES_OMITTED = Counter "resilience.hedge.omitted" "{attempt}" [HEDGE_END]
        "Hedges that did not run: the budget was empty, or a layer below rejected the hedge.";
    TRANSITIONS = Counter "resilience.circuit_breaker.transitions" "{transition}"
        [FROM, TO, CHANGE] "Changes of the state, by the reason.";
    STORE_ERRORS = Counter "resilience.idempotent.store_errors" "{error}" []
        "Failed operations of the store of records.";
    LEASES_LOST = Counter "resilience.idempotent.leases_lost" "{call}" []
        "Calls whose lease ended while the body ran.";
    DUPLICATES = Counter "resilience.idempotent.duplicates" "{call}" []
        "Calls that lost their lease, and whose body another call ran as well.";
    UNSAVED = Counter "resilience.idempotent.unsaved" "{call}" []
        "Calls whose body ran, and whose outcome was not stored.";
    EVICTIONS = Counter "resilience.keys.evictions" "{key}" []
        "Keys that a full table dropped for a new key.";
    OVERFLOWS = Counter "resilience.keys.overflows" "{call}" []
        "Calls with a new key that shared one state, because the table of keys was full.";
    CIRCUIT_STATE = Gauge "resilience.circuit_breaker.state" "1" [STATE]
        "1 for the current state of the circuit breaker, 0 for the other states.";
    IN_FLIGHT = Gauge "resilience.bulkhead.in_flight" "{call}" [] "Calls that hold a permit.";
    QUEUED = Gauge "resilience.bulkhead.queued" "{call}" [] "Calls that wait for a permit.";
    LIMIT = Gauge "resilience.bulkhead.limit" "{call}" [] "The maximum number of concurrent calls.";
    EXECUTIONS = Gauge "resilience.coalesce.running" "{call}" []
        "Keys with a running execution.";
    FOLLOWERS = Gauge "resilience.coalesce.waiting" "{call}" []
        "Calls that wait for the outcome of another call.";
    AVAILABLE = Gauge "resilience.rate_limit.available" "{permit}" []
        "Permits that are available at once.";
    TURNS = Gauge "resilience.rate_limit.queued" "{call}" [] "Calls that wait for a permit.";
    TOKENS = Gauge "resilience.retry.budget.tokens" "{token}" []
        "Tokens in the budget of the retries.";
    KEYS = Gauge "resilience.keys" "{key}" [] "Keys with a separate state.";
    MAX_KEYS = Gauge "resilience.keys.limit" "{key}" [] "The limit of keys with a separate state.";
}

/// The position of a counter in the stripes of a policy. Kinds of policies use positions
/// differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(u8);

impl Slot {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }

    /// Returns the position with this index.
    #[expect(clippy::cast_possible_truncation, reason = "a stripe has fewer counters")]
    pub(crate) const fn at(index: usize) -> Self {
        Self(index as u8)
    }
}

/// The positions.
pub mod slot {
    use super::Slot;
    use crate::event::StopReason;
    use crate::rejected::IdempotencyRejection;

    /// Finished with a success; for a bulkhead and a rate limit: admitted.
    pub const SUCCESS: Slot = Slot(0);
    /// Finished with a failure.
    pub const FAILURE: Slot = Slot(1);
    /// Finished with an outcome that says nothing about the dependency.
    pub const IGNORED: Slot = Slot(2);
    /// Rejected by the policy.
    pub const REJECTED: Slot = Slot(3);
    /// Dropped before the end.
    pub const CANCELLED: Slot = Slot(4);
    /// Replaced by a fallback.
    pub const FALLBACK: Slot = Slot(5);
    /// Answered from a record.
    pub const REPLAYED: Slot = Slot(5);
    /// Answered with the outcome of another call.
    pub(crate) const SHARED: Slot = Slot(5);
    /// Replaced by the last good value.
    pub(crate) const LAST_GOOD: Slot = Slot(6);
    pub(crate) const WAITS: Slot = Slot(6);
    pub(crate) const WAIT_TIME: Slot = Slot(7);
    pub(crate) const SHADOW_REJECTED: Slot = Slot(8);
    pub(crate) const EVICTIONS: Slot = Slot(9);
    pub(crate) const OVERFLOWS: Slot = Slot(10);

    pub(crate) const FIRST_ATTEMPTS: Slot = Slot(6);
    pub(crate) const RETRY_ATTEMPTS: Slot = Slot(7);
    /// The first of six: transient, throttled and rejected, each by backoff and by the server.
    pub(crate) const RETRIES: Slot = Slot(8);
    pub(crate) const BACKOFF_TIME: Slot = Slot(14);
    pub(crate) const SERVER_TIME: Slot = Slot(15);
    /// The first of the reasons, in the order of `StopReason`.
    const STOPS: Slot = Slot(16);

    /// A retry inside an attempt of another retry.
    pub(crate) const NESTED: Slot = Slot(27);

    /// Rejected after the deadline of the call.
    pub const OVERDUE: Slot = Slot(28);

    pub(crate) const HEDGED_AFTER_DELAY: Slot = Slot(6);
    pub(crate) const HEDGED_AFTER_FAILURE: Slot = Slot(7);
    pub(crate) const HEDGE_WINS: Slot = Slot(8);
    pub(crate) const HEDGE_OVER_BUDGET: Slot = Slot(9);
    pub(crate) const HEDGE_REJECTED: Slot = Slot(10);

    /// The first of the reasons, in the order of `IdempotencyRejection`.
    const IDEMPOTENCY: Slot = Slot(6);
    /// A failed operation of the store.
    pub const STORE_ERRORS: Slot = Slot(15);
    /// A lease that ended while the body ran.
    pub const LEASES_LOST: Slot = Slot(16);
    /// An outcome that was not stored.
    pub const UNSAVED: Slot = Slot(17);
    /// A body that ran twice with one key.
    pub const DUPLICATES: Slot = Slot(18);

    impl Slot {
        /// Returns the position of a reason for giving up.
        pub(crate) const fn of_stop(reason: StopReason) -> Self {
            STOPS.plus(reason as u8)
        }

        /// Returns the position of a rejection of an idempotent call.
        pub(crate) const fn of_idempotency(reason: IdempotencyRejection) -> Self {
            IDEMPOTENCY.plus(reason as u8)
        }

        pub(crate) const fn plus(self, offset: u8) -> Self {
            Self(self.0.saturating_add(offset))
        }
    }
}

/// A counter of a kind of policies. Two counters may read one slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counter {
    pub(crate) slot: Slot,
    pub(crate) info: &'static FigureInfo,
    pub(crate) labels: &'static [(&'static str, &'static str)],
}

/// Builds the list of counters of a kind.
macro_rules! counters {
    ($($slot:expr => $info:ident($($label:ident = $value:expr),*);)*) => {
        &[$(Counter { slot: $slot, info: &$info, labels: &[$(($label, $value)),*] }),*]
    };
}

/// Returns the counters of a kind of policies.
pub(crate) const fn counters(kind: PolicyKind) -> &'static [Counter] {
    match kind {
        PolicyKind::Retry => RETRY,
        PolicyKind::CircuitBreaker => CIRCUIT_BREAKER,
        PolicyKind::Timeout => TIMEOUT,
        PolicyKind::Fallback => FALLBACK,
        PolicyKind::Bulkhead => BULKHEAD,
        PolicyKind::RateLimit => RATE_LIMIT,
        PolicyKind::Idempotent => IDEMPOTENT,
        PolicyKind::Coalesce => COALESCE,
        PolicyKind::Hedge => HEDGE,
        PolicyKind::Function => &[],
    }
}

const RETRY: &[Counter] = counters! {
    slot::SUCCESS => CALLS(OUTCOME = "success");
    slot::FAILURE => CALLS(OUTCOME = "failure");
    slot::FIRST_ATTEMPTS => ATTEMPTS(ATTEMPT = "original");
    slot::RETRY_ATTEMPTS => ATTEMPTS(ATTEMPT = "retry");
    slot::RETRIES => RETRIES(REASON = "transient", SOURCE = "backoff");
    slot::RETRIES.plus(1) => RETRIES(REASON = "transient", SOURCE = "server");
    slot::RETRIES.plus(2) => RETRIES(REASON = "throttled", SOURCE = "backoff");
    slot::RETRIES.plus(3) => RETRIES(REASON = "throttled", SOURCE = "server");
    slot::RETRIES.plus(4) => RETRIES(REASON = "rejected", SOURCE = "backoff");
    slot::RETRIES.plus(5) => RETRIES(REASON = "rejected", SOURCE = "server");
    slot::BACKOFF_TIME => DELAY_TIME(SOURCE = "backoff");
    slot::SERVER_TIME => DELAY_TIME(SOURCE = "server");
    Slot::of_stop(StopReason::Permanent) => STOPS(STOP = StopReason::Permanent.as_str());
    Slot::of_stop(StopReason::NotIdempotent) => STOPS(STOP = StopReason::NotIdempotent.as_str());
    Slot::of_stop(StopReason::Attempts) => STOPS(STOP = StopReason::Attempts.as_str());
    Slot::of_stop(StopReason::BodyNotReplayable) => STOPS(STOP = StopReason::BodyNotReplayable.as_str());
    Slot::of_stop(StopReason::Deadline) => STOPS(STOP = StopReason::Deadline.as_str());
    Slot::of_stop(StopReason::RetryAfter) => STOPS(STOP = StopReason::RetryAfter.as_str());
    Slot::of_stop(StopReason::Budget) => STOPS(STOP = StopReason::Budget.as_str());
    Slot::of_stop(StopReason::Rejected) => STOPS(STOP = StopReason::Rejected.as_str());
    Slot::of_stop(StopReason::Disabled) => STOPS(STOP = StopReason::Disabled.as_str());
    Slot::of_stop(StopReason::CircuitOpen) => STOPS(STOP = StopReason::CircuitOpen.as_str());
    Slot::of_stop(StopReason::Nested) => STOPS(STOP = StopReason::Nested.as_str());
    slot::NESTED => NESTED();
};

const CIRCUIT_BREAKER: &[Counter] = counters! {
    slot::SUCCESS => CALLS(OUTCOME = "success");
    slot::FAILURE => CALLS(OUTCOME = "failure");
    slot::IGNORED => CALLS(OUTCOME = "ignored");
    slot::REJECTED => CALLS(OUTCOME = "rejected");
    slot::OVERDUE => CALLS(OUTCOME = "overdue");
    slot::CANCELLED => CALLS(OUTCOME = "cancelled");
    slot::REJECTED => REJECTIONS(REJECTION = "circuit_open");
    slot::OVERDUE => REJECTIONS(REJECTION = "deadline_exceeded");
    slot::SHADOW_REJECTED => SHADOW_REJECTIONS();
};

const TIMEOUT: &[Counter] = counters! {
    slot::SUCCESS => CALLS(OUTCOME = "success");
    slot::REJECTED => CALLS(OUTCOME = "rejected");
    slot::OVERDUE => CALLS(OUTCOME = "overdue");
    slot::REJECTED => REJECTIONS(REJECTION = "timed_out");
    slot::OVERDUE => REJECTIONS(REJECTION = "deadline_exceeded");
};

const FALLBACK: &[Counter] = counters! {
    slot::SUCCESS => CALLS(OUTCOME = "success");
    slot::FAILURE => CALLS(OUTCOME = "failure");
    slot::FALLBACK => CALLS(OUTCOME = "fallback");
    slot::LAST_GOOD => CALLS(OUTCOME = "last_good");
};

const BULKHEAD: &[Counter] = counters! {
    slot::SUCCESS => CALLS(OUTCOME = "admitted");
    slot::REJECTED => CALLS(OUTCOME = "rejected");
    slot::OVERDUE => CALLS(OUTCOME = "overdue");
    slot::CANCELLED => CALLS(OUTCOME = "cancelled");
    slot::REJECTED => REJECTIONS(REJECTION = "bulkhead_full");
    slot::OVERDUE => REJECTIONS(REJECTION = "deadline_exceeded");
    slot::SHADOW_REJECTED => SHADOW_REJECTIONS();
    slot::WAITS => WAITS();
    slot::WAIT_TIME => WAIT_TIME();
};

const RATE_LIMIT: &[Counter] = counters! {
    slot::SUCCESS => CALLS(OUTCOME = "admitted");
    slot::REJECTED => CALLS(OUTCOME = "rejected");
    slot::OVERDUE => CALLS(OUTCOME = "overdue");
    slot::CANCELLED => CALLS(OUTCOME = "cancelled");
    slot::REJECTED => REJECTIONS(REJECTION = "rate_limited");
    slot::OVERDUE => REJECTIONS(REJECTION = "deadline_exceeded");
    slot::SHADOW_REJECTED => SHADOW_REJECTIONS();
    slot::WAITS => WAITS();
    slot::WAIT_TIME => WAIT_TIME();
};

const IDEMPOTENT: &[Counter] = counters! {
    slot::SUCCESS => CALLS(OUTCOME = "executed");
    slot::REPLAYED => CALLS(OUTCOME = "replayed");
    slot::REJECTED => CALLS(OUTCOME = "rejected");
    slot::OVERDUE => CALLS(OUTCOME = "overdue");
    Slot::of_idempotency(Rejection::MissingKey) => REJECTIONS(REJECTION = Rejection::MissingKey.label());
    Slot::of_idempotency(Rejection::InvalidKey) => REJECTIONS(REJECTION = Rejection::InvalidKey.label());
    Slot::of_idempotency(Rejection::KeyReused) => REJECTIONS(REJECTION = Rejection::KeyReused.label());
    Slot::of_idempotency(Rejection::InFlight) => REJECTIONS(REJECTION = Rejection::InFlight.label());
    Slot::of_idempotency(Rejection::OutcomeUnknown) => REJECTIONS(REJECTION = Rejection::OutcomeUnknown.label());
    Slot::of_idempotency(Rejection::LeaseLost) => REJECTIONS(REJECTION = Rejection::LeaseLost.label());
    Slot::of_idempotency(Rejection::Undecodable) => REJECTIONS(REJECTION = Rejection::Undecodable.label());
    Slot::of_idempotency(Rejection::NotStored) => REJECTIONS(REJECTION = Rejection::NotStored.label());
    Slot::of_idempotency(Rejection::StoreUnavailable) => REJECTIONS(REJECTION = Rejection::StoreUnavailable.label());
    slot::OVERDUE => REJECTIONS(REJECTION = "deadline_exceeded");
    slot::STORE_ERRORS => STORE_ERRORS();
    slot::LEASES_LOST => LEASES_LOST();
    slot::DUPLICATES => DUPLICATES();
    slot::UNSAVED => UNSAVED();
};

const COALESCE: &[Counter] = counters! {
    slot::SUCCESS => CALLS(OUTCOME = "executed");
    slot::SHARED => CALLS(OUTCOME = "shared");
    slot::REJECTED => CALLS(OUTCOME = "rejected");
    slot::REJECTED => REJECTIONS(REJECTION = "panicked");
    slot::OVERDUE => CALLS(OUTCOME = "overdue");
    slot::OVERDUE => REJECTIONS(REJECTION = "deadline_exceeded");
};

const HEDGE: &[Counter] = counters! {
    slot::SUCCESS => CALLS(OUTCOME = "success");
    slot::FAILURE => CALLS(OUTCOME = "failure");
    slot::HEDGED_AFTER_DELAY => HEDGES(HEDGE_CAUSE = "delay");
    slot::HEDGED_AFTER_FAILURE => HEDGES(HEDGE_CAUSE = "failure");
    slot::HEDGE_WINS => HEDGE_WINS();
    slot::HEDGE_OVER_BUDGET => HEDGES_OMITTED(HEDGE_END = "budget");
    slot::HEDGE_REJECTED => HEDGES_OMITTED(HEDGE_END = "rejected");
};

/// The counters of a policy with a state per key, beside those of its kind.
pub(crate) const KEYED: &[Counter] = counters! {
    slot::EVICTIONS => EVICTIONS();
    slot::OVERFLOWS => OVERFLOWS();
};

/// The names of the labels of a change of state.
pub(crate) const TRANSITION_LABELS: [&str; 3] = [FROM, TO, CHANGE];

/// The name of the label of a state.
pub(crate) const STATE_LABEL: &str = STATE;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::figures::stripes::SLOTS;

    #[test]
    fn each_counter_of_a_kind_is_in_the_table_once_and_fits_in_a_stripe() {
        for kind in PolicyKind::ALL {
            let mut seen = BTreeSet::new();
            for counter in counters(*kind).iter().chain(KEYED) {
                assert!(counter.slot.index() < SLOTS, "{counter:?}");
                let names: Vec<_> = counter.labels.iter().map(|(name, _)| *name).collect();
                assert_eq!(names, counter.info.labels);
                assert_eq!(counter.info.kind, FigureKind::Counter);
                assert!(seen.insert((counter.info.name, counter.labels)), "{counter:?}");
            }
        }
    }

    #[test]
    fn names_are_unique_and_in_the_shape_of_open_telemetry() {
        let names: BTreeSet<_> = FigureInfo::all().iter().map(|info| info.name).collect();
        assert_eq!(names.len(), FigureInfo::all().len());
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|char| char.is_ascii_lowercase() || char == '_')
        };
        for info in FigureInfo::all() {
            for name in info.labels.iter().chain([&info.name]) {
                assert!(name.starts_with("resilience.") && name.split('.').all(is_word), "{name}");
            }
            assert!(info.help.ends_with('.'), "{}", info.help);
        }
    }
}
