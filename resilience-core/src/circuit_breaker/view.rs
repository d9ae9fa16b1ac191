//! The decisions of a breaker, and the publication of its state.

use core::num::NonZeroU64;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::time::Duration;
use std::time::SystemTime;

use super::call::{CallEnd, CallOutcome, FailedCall};
use super::definition::View;
use super::machine::{Machine, Origin};
use super::snapshot::{ChangeReason, StateChange};
use super::word::{
    ASKS_MACHINE, BOUNDED, CLOSED, COUNTED, FLAGS, GENERATION_SHIFT, IN_PERIOD, IN_WINDOW, OPEN,
    OVERRIDDEN, STATE, UNUSED, admitted, flags, guard_word, is_closed_in_time, is_trial,
};
use super::{Body, CircuitState, OnCancel, Trial, registry};
use crate::attempt_scope;
use crate::clock::{self, Timestamp};
use crate::context;
use crate::figures::table::slot;
use crate::function_state;
use crate::log;
use crate::mode;
use crate::registry::Policy as _;
use crate::registry::policy::{count, count_overdue, count_rejection};
use crate::registry::record::state_label;
use crate::rejected::Rejected;
use crate::rejection_signal::RejectionSignal;
use crate::span;
use crate::switch;
use crate::sync::lock;

impl View<'_> {
    /// Admits a call of a breaker with `slow_call`.
    #[inline]
    pub(super) fn admit_measured(self, body: Body) -> Result<(u64, Option<Timestamp>), Rejected> {
        match self.state.start_in_slot() {
            (seen, Some(started)) => Ok((seen, Some(started))),
            (seen, None) => self.admit(seen, body),
        }
    }

    #[cold]
    pub(super) fn settle_success(self, seen: u64, started: Option<Timestamp>) {
        self.settle(seen, CallOutcome::Success, started, &|| None);
    }

    #[inline(never)]
    pub(super) fn succeed_slow(self, seen: u64) {
        let word = self.word.load(Acquire) & (STATE | FLAGS);
        if word & COUNTED != 0 {
            count(&self, slot::SUCCESS);
        }
        let generation = admitted(seen).generation;
        let is_counted = match word & !COUNTED {
            IN_WINDOW => self.cursor.succeed(generation),
            IN_PERIOD => self.cursor.succeed_in_period(generation, clock::now()),
            _ => false,
        };
        if !is_counted {
            self.settle_success(seen, None);
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn admit(self, seen: u64, body: Body) -> Result<(u64, Option<Timestamp>), Rejected> {
        if let Some(rest) = self.open_time_left(seen) {
            return Err(self.rejection(Some(Duration::from_nanos(rest.get())), false));
        }
        if is_closed_in_time(seen) {
            return Ok((seen, None));
        }
        let (seen, started) = self.admit_by_machine()?;
        if body == Body::Here && is_trial(seen) {
            Trial::of(self.state, seen).enter();
        }
        Ok((seen, started))
    }

    /// Returns the rest of the open time in nanoseconds, if the published state rejects every call.
    #[inline]
    pub(super) fn open_time_left(self, seen: u64) -> Option<NonZeroU64> {
        if seen & STATE != OPEN || !mode::is_as_coded() {
            return None;
        }
        NonZeroU64::new(self.until.load(Relaxed).saturating_sub(clock::now().word()))
    }

    /// Tells the layers above how long the breaker rejects every call: a retry then makes no
    /// attempt that would be rejected.
    #[cold]
    pub(super) fn report_open(self, signal: Option<&RejectionSignal>) {
        if self.word.load(Acquire) & STATE == CLOSED || !switch::is_enabled() {
            return;
        }
        let (state, until) = {
            let machine = lock(&self.machine);
            (machine.state, machine.until)
        };
        let open = match (state, until) {
            _ if self.last().shadow => return,
            (CircuitState::ForcedOpen, None) => Duration::MAX,
            (CircuitState::ForcedOpen | CircuitState::Open, Some(until)) => {
                until.since(clock::now())
            }
            _ => return,
        };
        attempt_scope::report_open(open);
        signal.inspect(|signal| signal.set_open_for(open));
    }

    #[cold]
    #[inline(never)]
    pub(super) fn admit_by_machine(self) -> Result<(u64, Option<Timestamp>), Rejected> {
        let settings = self.current();
        if !switch::is_enabled() || !settings.enabled {
            return Ok((self.word.load(Acquire), None));
        }
        if !settings.shadow {
            self.overdue().map_or(Ok(()), Err)?;
        }
        let now = clock::now();
        let is_inside =
            |generation: u32| Trial::in_generation(self.state, generation.into()).is_running();
        let admission = self.change(|machine| {
            // Only then, because the rare parts take memory.
            if settings.slow_call.is_some() {
                self.rare().slots.iter().for_each(|slots| machine.use_slots(slots));
            }
            machine.admit(&settings, &self.cursor, now, is_inside)
        });
        match admission {
            Ok(call) => {
                if call.trial > 0 {
                    span::record_circuit_state(|| state_label(CircuitState::HalfOpen));
                }
                Ok((guard_word(call), settings.slow_call.map(|_| now)))
            }
            Err(after) => self.reject(after),
        }
    }

    /// Counts and returns a rejection.
    #[inline]
    pub(super) fn rejection(self, after: Option<Duration>, is_shadow: bool) -> Rejected {
        count_rejection(&self, is_shadow);
        span::record_circuit_state(|| state_label(self.change(|machine| machine.state)));
        let (name, key) = (self.name_or_default(), self.key_label.as_ref());
        Rejected::by_breaker(name, after.map(clock::nanos), key, self.cause.get())
    }

    /// Counts and returns the rejection of a call after its deadline.
    #[inline]
    pub(super) fn overdue(self) -> Option<Rejected> {
        let rejected = context::overdue(self.name_or_default(), self.key_label.as_ref())?;
        count_overdue(&self);
        Some(rejected)
    }

    /// Rejects a call. In shadow mode the call is admitted instead, with a generation of the past:
    /// the outcome changes nothing.
    pub(super) fn reject(
        self,
        after: Option<Duration>,
    ) -> Result<(u64, Option<Timestamp>), Rejected> {
        let is_shadow = self.last().shadow;
        let rejected = self.rejection(after, is_shadow);
        if !is_shadow {
            return Err(rejected);
        }
        log::shadow_rejection(&rejected);
        let generation = (self.word.load(Acquire) >> GENERATION_SHIFT).wrapping_sub(1);
        Ok((generation << GENERATION_SHIFT, None))
    }

    /// Records the end of a call. `text` is the failure in words, for later rejections.
    #[inline(never)]
    pub(super) fn settle(
        self,
        seen: u64,
        outcome: CallOutcome,
        started: Option<Timestamp>,
        text: &dyn Fn() -> Option<String>,
    ) {
        if is_trial(seen) {
            Trial::of(self.state, seen).leave();
        }
        let settings = self.current();
        let end = CallEnd { call: admitted(seen), outcome, started };
        if !switch::is_enabled() || !settings.enabled {
            lock(&self.machine).stop(end.call, started);
            return;
        }
        // The event of an opening waits for the text of the failure.
        let opened_by_call = self.change(|machine| {
            let before = machine.generation;
            machine.settle(&settings, &self.cursor, end, clock::now);
            (machine.generation != before && machine.opens_by_call()).then_some(machine.generation)
        });
        if let Some(generation) = opened_by_call {
            self.keep_cause(generation, text);
        }
    }

    /// Records a call whose guard was dropped without a report.
    #[cold]
    #[inline(never)]
    pub(super) fn cancel(self, seen: u64, started: Option<Timestamp>, panicked: bool) {
        self.count_end(panicked);
        let failed = panicked || self.current().on_cancel == OnCancel::Failure;
        let reason = if panicked { ChangeReason::Panic } else { ChangeReason::Cancelled };
        let failure = CallOutcome::Failure(FailedCall { reason, after: None });
        let outcome = if failed { failure } else { CallOutcome::Neutral };
        let text = if panicked { "the call panicked" } else { "the call was cancelled" };
        self.settle(seen, outcome, started, &|| Some(text.to_owned()));
        self.report_open(None);
    }

    /// Changes the machine, publishes the state for the fast paths, and delivers the events after
    /// unlocking.
    pub(super) fn change<T>(self, change: impl FnOnce(&mut Machine) -> T) -> T {
        let mut machine = lock(&self.machine);
        let (from, generation) = (machine.state, machine.generation);
        let result = change(&mut machine);
        if machine.generation != generation {
            match machine.state {
                // The calls before the opening stay in view.
                CircuitState::Open => self.cursor.retain(machine.generation),
                _ => self.cursor.reset(machine.generation),
            }
            machine.extra.change().rejected_before = self.rejected();
            // A half-open breaker rejects calls because of the last opening.
            if machine.state != CircuitState::HalfOpen {
                self.cause.clear();
            }
        }
        let (to, is_local) = (machine.state, machine.origin == Origin::LocalCalls);
        if from != to {
            let change = StateChange {
                name: self.name_or_default(),
                from,
                to,
                reason: machine.reason,
                cause: None,
                key: self.key_label.as_ref().map(|label| label.as_str().into()),
                open_for: machine.until.map(|until| until.since(clock::now())),
                shadow: self.last().shadow,
                location: self.definition.figures.place(),
                number: 0,
                at: SystemTime::now(),
            };
            let awaits_cause = machine.opens_by_call().then_some(machine.generation);
            machine.extra.change().events.changed(change, is_local, awaits_cause);
            self.count_transition(from, to, machine.reason);
        }
        let extra = machine.extra.changed();
        let has_events = extra.is_some_and(|extra| extra.events.start_delivery());
        self.publish(&machine);
        drop(machine);
        if from != to && is_local && self.definition.settings.shared.is_some() {
            registry::DECISIONS.notify();
        }
        if has_events {
            self.deliver();
        }
        result
    }

    /// Publishes the state for the fast paths.
    pub(super) fn publish(self, machine: &Machine) {
        let settings = self.last();
        if let Some(until) = machine.lasts_until(&settings) {
            self.until.store(until, Relaxed);
        }
        let extra = &machine.extra;
        let asks_machine = extra.events.are_deferred() || extra.recovery.is_some();
        let state = match machine.state {
            _ if asks_machine => ASKS_MACHINE,
            CircuitState::Closed => {
                let overridden =
                    if settings.counts_as(&self.definition.settings) { 0 } else { OVERRIDDEN };
                CLOSED | overridden | flags(&settings, machine.consecutive_failures)
            }
            // In shadow mode an open breaker rejects no call.
            CircuitState::Open if !settings.shadow => OPEN,
            _ => ASKS_MACHINE,
        };
        // If a test may have an override, every call has to take the path that looks for
        // overrides.
        let state = if self.definition.listed && function_state::is_ever_overridden() {
            UNUSED
        } else {
            state
        };
        let counted = if mode::is_counting() { COUNTED } else { 0 };
        let bounded = if mode::has_deadlines() { BOUNDED } else { 0 };
        let word = u64::from(machine.generation) << GENERATION_SHIFT | counted | bounded | state;
        // Written only if different: a write slows down the readers of a shared word.
        if self.word.load(Relaxed) != word {
            self.word.store(word, Release);
        }
    }
}
