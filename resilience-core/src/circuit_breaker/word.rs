//! The word of a breaker, which the fast paths read: the generation in the high half; in the low
//! half the number of a trial call (in a guard only) and flags. The guard of a measured call has
//! its place in place of the flags.

use super::call::AdmittedCall;
use super::settings::Settings;
use super::slots::Place;
use super::trial_calls;
use super::window::Span;
use crate::context;

/// The bits of the state.
pub(super) const STATE: u64 = 0b11;
pub(super) const CLOSED: u64 = 0;
pub(super) const OPEN: u64 = 1;
/// Every call asks the machine: half-open, forced open or disabled; open in shadow mode; closed
/// with a growing share of admitted calls; any state with events that wait for delivery.
pub(super) const ASKS_MACHINE: u64 = 2;
/// The state of a `static` before the first call.
pub(super) const UNUSED: u64 = 3;
/// A success has to clear the failures in a row.
pub(super) const HAS_FAILURES: u64 = 1 << 2;
/// A success has to be recorded in a window of calls.
pub(super) const WINDOW: u64 = 1 << 4;
/// The breaker measures the duration of calls.
pub(super) const TIMED: u64 = 1 << 3;
/// A success has to be counted in the figures.
pub(super) const COUNTED: u64 = 1 << 5;
/// Overridden settings count other calls than the settings of the code do: a success takes the slow
/// path, which knows the settings in use.
pub(super) const OVERRIDDEN: u64 = 1 << 6;
/// A call may begin after its deadline: every call examines the deadline.
pub(super) const BOUNDED: u64 = 1 << 7;
/// A success has to be recorded in a window of time.
pub(super) const PERIOD: u64 = 1 << 8;
pub(super) const FLAGS: u64 = HAS_FAILURES | WINDOW | PERIOD | TIMED | COUNTED | OVERRIDDEN;
/// A closed breaker whose successes are only counted in the figures.
pub(super) const COUNTED_ONLY: u64 = CLOSED | COUNTED;
/// A closed breaker with a window of calls and without failures in a row.
pub(super) const IN_WINDOW: u64 = CLOSED | WINDOW;
/// The same, with successes that are counted in the figures.
pub(super) const COUNTED_IN_WINDOW: u64 = IN_WINDOW | COUNTED;
/// A closed breaker with a window of time and without failures in a row.
pub(super) const IN_PERIOD: u64 = CLOSED | PERIOD;
/// The two states in a breaker with `slow_call`.
pub(super) const TIMED_IN_WINDOW: u64 = IN_WINDOW | TIMED;
pub(super) const TIMED_IN_PERIOD: u64 = IN_PERIOD | TIMED;
pub(super) const TRIAL_SHIFT: u32 = 9;
pub(super) const GENERATION_SHIFT: u32 = 32;

pub(super) const fn flags(settings: &Settings, failures: u32) -> u64 {
    let failures = if failures > 0 { HAS_FAILURES } else { 0 };
    let window = match settings.span {
        Span::None => 0,
        Span::Calls(_) => WINDOW,
        Span::Time { .. } => PERIOD,
    };
    let timed = if settings.slow_call.is_some() { TIMED } else { 0 };
    failures | window | timed
}

#[expect(clippy::cast_possible_truncation, reason = "only the halves are wanted")]
pub(super) const fn admitted(seen: u64) -> AdmittedCall {
    let trial = (seen >> TRIAL_SHIFT) as u32 & trial_calls::MOST;
    let (generation, place) = ((seen >> GENERATION_SHIFT) as u32, Place::from_word(seen));
    AdmittedCall { generation, trial, place }
}

/// Returns the word of the guard of a call.
#[inline]
pub(super) fn guard_word(AdmittedCall { generation, trial, place }: AdmittedCall) -> u64 {
    u64::from(generation) << GENERATION_SHIFT | u64::from(trial) << TRIAL_SHIFT | place.word()
}

/// Returns the word of a guard whose call has given back its slot.
pub(super) const fn without_slot(seen: u64) -> u64 {
    seen | Place::NONE.word()
}

/// Returns whether a breaker admits a call without a further question: closed, without `slow_call`,
/// in a process without deadlines.
#[inline]
pub(super) const fn admits_at_once(seen: u64) -> bool {
    seen & (STATE | TIMED | BOUNDED) == CLOSED
}

/// Returns whether a closed breaker without `slow_call` admits a call in a process with deadlines:
/// before the deadline of the call.
#[inline]
pub(super) fn is_closed_in_time(seen: u64) -> bool {
    seen & (STATE | TIMED) == CLOSED && !context::is_overdue()
}

/// Returns whether the word of a guard has the number of a trial call.
#[inline]
pub(super) fn is_trial(seen: u64) -> bool {
    seen & u64::from(trial_calls::MOST) << TRIAL_SHIFT != 0
}
