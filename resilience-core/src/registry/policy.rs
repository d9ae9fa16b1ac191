//! The interface of policies with a state to the registry.

use core::panic::Location;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use core::time::Duration;
use std::sync::{Arc, OnceLock};

use super::explain::{Explanation, explain_policy};
use super::facts::{Facts, facts_in_use};
use super::list;
use super::names;
use super::record::Record;
use super::record_handle::RecordHandle;
use super::report::{KeyReport, KeysReport, PolicyKind, Setting, SourceLocation};
use crate::CircuitState;
use crate::clock::{Timestamp, now};
use crate::figures::Figure;
use crate::figures::durations::Ended;
use crate::figures::numbers::Number;
use crate::figures::table::{Slot, slot};
use crate::function_state::{TestReset, resolve};
use crate::keyed::KeyLabel;
use crate::mode;
use crate::settings::{Action, Check};
use crate::sync::Tally;

/// A policy with a state, for the registry.
pub trait Policy: Send + Sync {
    /// Returns the kind.
    fn kind(&self) -> PolicyKind;

    /// Returns the name in reports.
    fn name(&self) -> &'static str;

    /// Returns the settings in use.
    fn settings(&self) -> Vec<Setting>;

    /// Returns the figures that the policy holds.
    fn own_figures(&self) -> &PolicyFigures;

    /// Returns the effect on a call.
    fn facts(&self) -> Facts;

    /// Returns the rejected calls that the record does not count for this policy alone: policies
    /// with a key share the record.
    fn own_rejections(&self) -> &Tally {
        &self.own_figures().rejected
    }

    /// Returns the rejected calls of this policy alone.
    fn rejected(&self) -> u64 {
        let own = self.own_rejections().load(Relaxed);
        let record = self.own_figures().record.get().filter(|record| !record.is_table);
        own.wrapping_add(record.map_or(0, |record| record.rejected.load(Relaxed)))
    }

    /// Returns the label of the key that the policy serves.
    fn key_label(&self) -> Option<&KeyLabel> {
        None
    }

    /// Returns the settings of the code.
    fn code(&self) -> Box<dyn Check>;

    /// Follows a change of the store of settings.
    fn refresh(&self) {}

    /// Changes the state. Returns whether the policy has such a state.
    fn control(&self, _action: Action, _time: Option<Duration>) -> bool {
        false
    }

    /// Changes the state of the key with this label. Returns whether the key is there.
    fn control_key(&self, label: &str, action: Action, time: Option<Duration>) -> bool {
        self.key_label().is_some_and(|known| known.as_str() == label) && self.control(action, time)
    }

    /// Returns the state of a circuit breaker.
    fn state(&self) -> Option<CircuitState> {
        None
    }

    /// Returns the end of a forced state with a time; of several keys the first.
    fn forced_until(&self) -> Option<Timestamp> {
        None
    }

    /// Adds the current values: calls in flight, calls that wait, permits.
    fn figures_now(&self, _figures: &mut Vec<Figure>) {}

    /// Returns whether the policy has a state per key.
    fn is_table(&self) -> bool {
        false
    }

    /// Returns the keys of a policy with a state per key.
    fn keys(&self) -> Option<KeysReport> {
        None
    }

    /// Returns the key with this label.
    fn key(&self, _label: &str) -> Option<KeyReport> {
        None
    }
}

/// A policy of an annotated function or in another `static`.
pub trait StaticPolicy: Policy {
    /// Returns the policy, or the override of this thread in a test.
    fn resolved(&'static self) -> &'static dyn Policy;

    /// Returns the policy itself. Rust 1.85 cannot convert between trait objects.
    fn declared(&'static self) -> &'static dyn Policy;
}

impl<P: Policy + TestReset> StaticPolicy for P {
    fn resolved(&'static self) -> &'static dyn Policy {
        resolve::<P>(self)
    }

    fn declared(&'static self) -> &'static dyn Policy {
        self
    }
}

/// The figures of a policy with a state: the record, created at the first event.
#[derive(Debug)]
pub struct PolicyFigures {
    location: &'static Location<'static>,
    /// The number of layers outside, in an annotated function.
    pub(crate) depth: u8,
    record: OnceLock<RecordHandle>,
    /// See [`Policy::own_rejections`].
    rejected: Tally,
    /// Whether a new record enters the registry.
    is_listed: bool,
    /// Whether the registry has access to the policy.
    pub(super) is_attached: AtomicBool,
    /// The number of a policy in a `static`, for its counters.
    pub(super) number: Number,
    /// The policy of an annotated function, in its `static`. An event of a policy sees a reference
    /// of the call, and the registry needs one that lasts.
    pub(crate) itself: Option<Itself>,
}

/// Returns the policy of an annotated function.
pub(crate) type Itself = fn() -> &'static dyn StaticPolicy;

impl PolicyFigures {
    /// Creates the figures of a policy that is made at the place of the caller.
    #[track_caller]
    #[cfg(not(resilience_loom))]
    pub(crate) const fn new() -> Self {
        Self::at(Location::caller(), true)
    }

    #[track_caller]
    #[cfg(resilience_loom)]
    pub(crate) fn new() -> Self {
        Self::at(Location::caller(), true)
    }

    const fn at(location: &'static Location<'static>, is_listed: bool) -> Self {
        Self {
            location,
            depth: 0,
            record: OnceLock::new(),
            rejected: Tally::new(0),
            is_listed,
            is_attached: AtomicBool::new(false),
            number: Number::none(),
            itself: None,
        }
    }

    /// Returns the place in the source code.
    pub(crate) const fn place(&self) -> SourceLocation {
        SourceLocation::of(self.location)
    }

    /// Returns fresh figures for the override of a test.
    pub(crate) fn fresh(&self) -> Self {
        Self { depth: self.depth, ..Self::at(self.location, false) }
    }

    /// Returns the figures of a policy for one key, which counts into the record of the table.
    pub(crate) fn of_table(&self, record: RecordHandle) -> Self {
        Self { record: OnceLock::from(record), ..Self::at(self.location, false) }
    }

    /// Returns whether policies with these figures have the same place and record.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let record = |figures: &Self| figures.record.get().map(|record| Arc::as_ptr(record));
        ptr::eq(self.location, other.location) && record(self) == record(other)
    }
}

/// Returns the record of a policy. The first event of the policy creates the record.
#[inline]
pub(crate) fn record_of<P: Policy + ?Sized>(policy: &P) -> &Arc<Record> {
    handle_of(policy)
}

/// Returns the reference to the record, for policies that count there as well.
#[inline]
pub(crate) fn handle_of<P: Policy + ?Sized>(policy: &P) -> &RecordHandle {
    let known = policy.own_figures().record.get();
    known.unwrap_or_else(|| create_record(policy))
}

#[cold]
#[inline(never)]
fn create_record<P: Policy + ?Sized>(policy: &P) -> &RecordHandle {
    let figures = policy.own_figures();
    let (kind, name) = (policy.kind(), policy.name());
    let (location, depth, is_table) = (figures.location, figures.depth, policy.is_table());
    let record = Record::new(kind, name, location, depth, is_table);
    let (settings, facts) = (policy.settings(), policy.facts());
    record.keep_facts(|| (settings, facts));
    record.keep_code(|| policy.code());
    let mut shared_name = None;
    // The policy of a key is made by code of the user, so no lock is held above.
    let record = figures.record.get_or_init(|| {
        let record = RecordHandle::new(record);
        if figures.is_listed {
            match figures.itself {
                // The next call applies what stands for the name, in `list_static`.
                Some(itself) => list::add_static(&record, itself()),
                None => list::add(&record),
            }
            shared_name = names::claim(&record);
        }
        record
    });
    names::warn(shared_name);
    record
}

/// Explains a policy by itself.
pub(crate) fn explain<P: Policy>(policy: &P) -> Explanation {
    let location = policy.own_figures().location;
    let (kind, name) = (policy.kind(), policy.name());
    let facts = policy.facts().in_state(policy.state());
    let facts = facts_in_use(kind, name, &*policy.code(), facts);
    explain_policy(name, kind, location, facts)
}

/// Counts an event of a policy.
#[inline]
pub(crate) fn count<P: Policy + ?Sized>(policy: &P, slot: Slot) {
    if !policy.own_figures().number.count(slot) {
        count_by_record(policy, slot);
    }
}

/// Counts an event of a policy without a number, or the first event of a thread.
#[inline(never)]
fn count_by_record<P: Policy + ?Sized>(policy: &P, slot: Slot) {
    policy.own_figures().number.keep_own();
    let record = policy.own_figures().record.get();
    match record.and_then(|record| record.known_counters()) {
        Some(counters) => counters.add(slot, 1),
        None => count_first(policy, slot),
    }
}

/// Apart from [`count`], which then needs no stack frame.
#[cold]
#[inline(never)]
fn count_first<P: Policy + ?Sized>(policy: &P, slot: Slot) {
    record_of(policy).count(slot);
}

/// Counts a success or an admitted call, if successes are counted.
#[inline]
pub(crate) fn count_success<P: Policy + ?Sized>(policy: &P) {
    if mode::is_counting() {
        count(policy, slot::SUCCESS);
    }
}

/// Counts a rejected call, or a call that would be rejected outside shadow mode.
///
/// A policy without keys counts in one atomic of its record. The count of this policy alone needs
/// this atomic in any case, so a stripe in addition would only add cost.
#[inline]
pub(crate) fn count_rejection<P: Policy + ?Sized>(policy: &P, is_shadow: bool) {
    if is_shadow || !counted_in_record(policy) {
        count_rejection_in_stripe(policy, is_shadow);
    }
}

/// Counts a rejected call of a policy without keys. Returns `false` and counts nothing before the
/// first event of the policy, and for a policy with keys.
#[inline]
pub(crate) fn counted_in_record<P: Policy + ?Sized>(policy: &P) -> bool {
    let record = policy.own_figures().record.get().filter(|record| !record.is_table);
    if let Some(record) = record {
        record.rejected.fetch_add(1, Relaxed);
    }
    record.is_some()
}

/// Counts a call that was rejected after its deadline.
#[cold]
pub(crate) fn count_overdue<P: Policy + ?Sized>(policy: &P) {
    count(policy, slot::OVERDUE);
}

/// A function of its own keeps the rejection in registers.
#[cold]
#[inline(never)]
fn count_rejection_in_stripe<P: Policy + ?Sized>(policy: &P, is_shadow: bool) {
    policy.own_rejections().fetch_add(1, Relaxed);
    count(policy, if is_shadow { slot::SHADOW_REJECTED } else { slot::REJECTED });
}

/// Lists a policy with a call that waits: an operator sees the call before the wait ends.
#[cold]
pub(crate) fn list_waiting<P: Policy + ?Sized>(policy: &P) {
    record_of(policy);
}

/// The end of a wait for a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitEnd {
    Admitted,
    /// The rejection is counted where it is made.
    Rejected,
    Cancelled,
}

/// Counts a call that waited from `since` on, and no longer waits.
#[cold]
pub(crate) fn count_wait<P: Policy + ?Sized>(policy: &P, since: Timestamp, end: WaitEnd) {
    let record = record_of(policy);
    record.count(slot::WAITS);
    let wait = now().since(since);
    record.add_time(slot::WAIT_TIME, wait);
    record.add_duration(Ended::Waited, wait);
    match end {
        WaitEnd::Admitted if mode::is_counting() => record.count(slot::SUCCESS),
        WaitEnd::Cancelled => record.count(slot::CANCELLED),
        WaitEnd::Admitted | WaitEnd::Rejected => {}
    }
}
