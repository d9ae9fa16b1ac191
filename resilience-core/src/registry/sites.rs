//! The records of policies without a state: retries, timeouts, fallbacks, hedges, idempotent calls
//! and annotated functions as a whole.
//!
//! The kind, the name and the place in the source code identify such a policy, so that a policy
//! that is copied, or made again for each call, has one record, with the settings of the first.

use core::panic::Location;
use core::time::Duration;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::facts::Facts;
use super::list;
use super::names;
use super::record::Record;
use super::report::{PolicyKind, Setting, SourceLocation};
use crate::context::current::Setter;
use crate::context::{blame_deadline, not_started};
use crate::duration::Exact;
use crate::figures::table::{Slot, slot};
use crate::mode;
use crate::outcome::Outcome;
use crate::rejected::{IdempotencyRejection, Rejected};
use crate::settings::{Check, Overrides, Refusal};
use resilience_rules::settings::Value;

/// A policy without a state: its identity, and its settings in the code.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// The kind of the policy.
    pub kind: PolicyKind,
    /// The name in reports.
    pub name: &'static str,
    /// The place in the source code.
    pub location: &'static Location<'static>,
    /// The limit of a timeout, if constant; the greatest age of the last good value of a fallback.
    pub limit: Option<Duration>,
    /// The settings of a hedge.
    pub hedges: Option<Hedges>,
    /// The number of layers outside, in an annotated function.
    pub depth: u8,
}

/// The settings of a hedge, for the registry.
#[derive(Clone, Copy, Debug)]
pub struct Hedges {
    /// The largest number of attempts beside the first.
    pub max: u8,
    /// The delay before an attempt, or before the quantile is learned.
    pub delay: Duration,
    /// The quantile in thousandths; zero with a delay in the source code.
    pub quantile: u32,
}

/// A setting can change only where the function has code for it.
impl Check for Site {
    fn check(&self, overrides: &Overrides) -> Result<(), Refusal> {
        let hedges = self.hedges.unwrap_or(Hedges { max: 0, delay: Duration::ZERO, quantile: 0 });
        for (key, value) in overrides.iter() {
            let reason = match (key, value) {
                ("stale", _) if self.limit.is_none() => "the function has no `stale` in the code",
                ("after", _) if hedges.quantile > 0 => {
                    "the delay is learned from the latencies; set `warm_up`"
                }
                ("warm_up", _) if hedges.quantile == 0 => {
                    "the code has a delay and no quantile; set `after`"
                }
                ("max", Value::Count(max)) if max > u32::from(hedges.max) => {
                    "the function has room for the hedges of the code only; write at most `max` of \
                     the code"
                }
                _ => continue,
            };
            return Err(Refusal::Fixed(key, reason));
        }
        Ok(())
    }

    fn facts(&self, overrides: &Overrides) -> Option<Facts> {
        match (self.kind, overrides.get("limit"), overrides.get("max")) {
            (PolicyKind::Timeout, Some(Value::Time(limit)), _) => Some(Facts::Ends(Some(limit))),
            (PolicyKind::Hedge, _, Some(Value::Count(max))) => {
                u8::try_from(max).ok().map(Facts::Hedges)
            }
            _ => None,
        }
    }
}

impl Hedges {
    /// Returns the settings with their values.
    fn settings(self) -> Vec<Setting> {
        let Self { max, delay, quantile } = self;
        let mut settings = vec![Setting::code("max", max)];
        if quantile == 0 {
            settings.push(Setting::code("after", Exact(delay)));
        } else {
            settings.push(Setting::code("after", format!("p{}", f64::from(quantile) / 10.0)));
            settings.push(Setting::code("warm_up", Exact(delay)));
        }
        settings
    }
}

/// Returns the identity of a `#[fallback]`.
#[track_caller]
#[must_use]
pub const fn fallback_site(name: &'static str, depth: u8) -> Site {
    Site::new(PolicyKind::Fallback, name, Location::caller(), depth)
}

/// Returns the identity of an idempotent call.
#[must_use]
pub const fn idempotent_site(
    name: &'static str,
    location: &'static Location<'static>,
    depth: u8,
) -> Site {
    Site::new(PolicyKind::Idempotent, name, location, depth)
}

/// Returns the identity of a `#[timeout]`, with the limit if constant.
#[track_caller]
#[must_use]
pub const fn timeout_site(name: &'static str, limit: Option<Duration>, depth: u8) -> Site {
    Site { limit, ..Site::new(PolicyKind::Timeout, name, Location::caller(), depth) }
}

/// A function with a `#[timeout]`: the identity, and the setter of the deadline of the calls
/// inside.
#[derive(Debug)]
pub struct TimedFunction {
    pub(crate) site: Site,
    pub(crate) setter: Setter,
}

impl TimedFunction {
    /// Returns the identity.
    #[inline]
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }
}

/// Returns the identity of a function with a `#[timeout]`, with the limit if constant.
#[track_caller]
#[must_use]
pub const fn timed_function(
    name: &'static str,
    limit: Option<Duration>,
    depth: u8,
) -> TimedFunction {
    let site = timeout_site(name, limit, depth);
    TimedFunction { site, setter: Setter::of_timeout(name, site.location) }
}

/// Counts a call that exceeded `limit`, or that began after its deadline and did not start, and
/// returns the rejection.
#[cold]
#[must_use]
pub fn timed_out(site: &Site, limit: Option<Duration>) -> Rejected {
    site.count(if limit.is_some() { slot::REJECTED } else { slot::OVERDUE });
    match limit {
        Some(limit) => blame_deadline(Rejected::timed_out(site.name, limit)),
        None => not_started(site.name),
    }
}

/// The number of identities is bounded: places are finite, and names made at run time are bounded.
type Identity = (PolicyKind, &'static str, &'static Location<'static>, u8);

type Sites = HashMap<Identity, &'static Record>;

static SITES: OnceLock<RwLock<Sites>> = OnceLock::new();

/// The number of records that a thread remembers.
const REMEMBERED: usize = 64;

type Remembered = Cell<Option<&'static Record>>;

thread_local! {
    /// The last records of this thread, by the address of the place.
    static LAST: [Remembered; REMEMBERED] = const { [const { Cell::new(None) }; REMEMBERED] };
}

/// Returns the place of a record in the memory of a thread.
#[inline]
fn place(kind: PolicyKind, name: &'static str, location: &'static Location<'static>) -> usize {
    let address = core::ptr::from_ref(location).addr() ^ name.as_ptr().addr();
    // The layers of a function have one place and one name, and different kinds.
    (address >> 3).wrapping_add(kind as usize) % REMEMBERED
}

impl Site {
    pub(crate) const fn new(
        kind: PolicyKind,
        name: &'static str,
        location: &'static Location<'static>,
        depth: u8,
    ) -> Self {
        Self { kind, name, location, limit: None, hedges: None, depth }
    }

    /// Returns the record. The first event creates the record.
    #[must_use]
    pub fn record(&self) -> &'static Record {
        self.record_with(|_| ())
    }

    /// Returns the record. `complete` adds facts to a record that this thread does not remember: a
    /// record that the thread remembers is complete.
    #[inline]
    pub(crate) fn record_with(&self, complete: impl FnOnce(&Record)) -> &'static Record {
        Self::remembered(self.kind, self.name, self.location, self.depth)
            .unwrap_or_else(|| self.find_for_thread(complete))
    }

    /// Returns the record that this thread remembers for a place. Compares addresses: a cheap test
    /// without false matches. The parts are values, so that a caller compares constants.
    #[inline]
    pub(crate) fn remembered(
        kind: PolicyKind,
        name: &'static str,
        location: &'static Location<'static>,
        depth: u8,
    ) -> Option<&'static Record> {
        let place = place(kind, name, location);
        // The thread may be ending, without thread-local values.
        let last = LAST.try_with(|last| last.get(place).and_then(Cell::get)).ok().flatten();
        last.filter(|record| {
            core::ptr::eq(record.location, location)
                && core::ptr::eq(record.name, name)
                && (record.kind, record.depth) == (kind, depth)
        })
    }

    #[cold]
    #[inline(never)]
    fn find_for_thread(&self, complete: impl FnOnce(&Record)) -> &'static Record {
        let record = self.find();
        complete(record);
        let place = place(self.kind, self.name, self.location);
        let _ = LAST.try_with(|last| last.get(place).map(|last| last.set(Some(record))));
        record
    }

    /// Returns the identity with the greatest age of a last good value.
    #[must_use]
    pub const fn stale(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Returns the greatest age of a last good value, for a fallback with this age in the code.
    pub(crate) fn stale_in_use(&self, limit: Duration) -> Duration {
        if !mode::has_settings() {
            return limit;
        }
        match self.record().overrides().and_then(|overrides| overrides.get("stale")) {
            Some(Value::Time(limit)) => limit,
            _ => limit,
        }
    }

    /// Returns the settings of a hedge with these settings in the code. A hedge that is switched
    /// off by name has a `max` of 0.
    pub(crate) fn hedges_in_use(&self, code: Hedges) -> Hedges {
        if !mode::has_settings() {
            return code;
        }
        let mut hedges = code;
        let Some(overrides) = self.record().overrides() else { return hedges };
        for (key, value) in overrides.iter() {
            match (key, value) {
                ("after" | "warm_up", Value::Time(delay)) => hedges.delay = delay,
                ("max", Value::Count(max)) => hedges.max = u8::try_from(max).unwrap_or(code.max),
                ("enabled", Value::Flag(false)) => return Hedges { max: 0, ..code },
                _ => {}
            }
        }
        hedges
    }

    /// Returns the limit of a timeout that has this limit in the code.
    #[inline]
    #[must_use]
    pub fn limit_in_use(&self, limit: Duration) -> Duration {
        if mode::is_as_coded() { limit } else { self.overridden_limit(limit) }
    }

    /// Returns the longest time if the timeout, or all policies, are switched off.
    #[cold]
    fn overridden_limit(&self, limit: Duration) -> Duration {
        if !mode::is_enabled() {
            return Duration::MAX;
        }
        let overrides = self.record().overrides();
        let value = overrides.as_ref().and_then(|overrides| overrides.get("limit"));
        match (overrides.as_ref().is_some_and(|overrides| !overrides.is_enabled()), value) {
            (true, _) => Duration::MAX,
            (false, Some(Value::Time(limit))) => limit,
            _ => limit,
        }
    }

    /// Returns the place in the source code.
    pub(crate) const fn place(&self) -> SourceLocation {
        SourceLocation::of(self.location)
    }

    /// Counts one.
    pub fn count(&self, slot: Slot) {
        self.record().count(slot);
    }

    /// Counts a success, if successes are counted, and returns the outcome. The outcome is passed
    /// by value, so that it needs no address on the happy path.
    #[cold]
    #[inline(never)]
    pub fn counted<O>(&self, out: O) -> (O,) {
        self.count_success();
        (out,)
    }

    /// Counts a success, if successes are counted.
    #[cold]
    pub fn count_success(&self) {
        if mode::is_counting() {
            self.count(slot::SUCCESS);
        }
    }

    /// Counts a success or a failure.
    pub(crate) fn count_outcome(&self, out: &impl Outcome) {
        if out.is_ok() {
            self.count_success();
        } else {
            self.count(slot::FAILURE);
        }
    }

    /// Counts a rejected idempotent call.
    pub fn count_idempotency_rejection(&self, reason: IdempotencyRejection) {
        self.count(slot::REJECTED);
        self.count(Slot::of_idempotency(reason));
    }

    fn find(&self) -> &'static Record {
        let sites = SITES.get_or_init(RwLock::default);
        let identity: Identity = (self.kind, self.name, self.location, self.depth);
        let known = sites.read().unwrap_or_else(PoisonError::into_inner).get(&identity).copied();
        let mut shared_name = None;
        let known = known.unwrap_or_else(|| {
            let mut sites = sites.write().unwrap_or_else(PoisonError::into_inner);
            sites.entry(identity).or_insert_with(|| {
                let record = Record::new(self.kind, self.name, self.location, self.depth, false);
                if let Some(hedges) = self.hedges {
                    let facts = Facts::Hedges(hedges.max);
                    record.keep_facts(|| (hedges.settings(), facts));
                }
                if let Some(limit) = self.limit {
                    let (name, facts) = match self.kind {
                        PolicyKind::Fallback => ("stale", Facts::Replaces),
                        _ => ("limit", Facts::Ends(Some(limit))),
                    };
                    record.keep_facts(|| (vec![Setting::code(name, Exact(limit))], facts));
                }
                // A retry knows more than its identity.
                if self.kind != PolicyKind::Retry {
                    record.keep_code(|| Box::new(*self));
                }
                let record: &'static Arc<Record> = Box::leak(Box::new(Arc::new(record)));
                list::add_forever(record);
                shared_name = names::claim(record);
                record
            })
        });
        names::warn(shared_name);
        known
    }
}
