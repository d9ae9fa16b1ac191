//! Circuit breakers: stop calling a dependency that keeps failing, then test it with trial calls.

mod cause;
mod control;
mod cursor;
mod events;
mod guard;
mod live;
mod machine;
#[cfg(all(test, resilience_loom))]
mod model;
mod on_demand;
mod recovery;
mod registry;
mod report;
mod run;
mod running;
mod settings;
mod snapshot;
mod sync;
mod trial;
mod watch;
mod window;

use core::num::NonZeroU64;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::time::Duration;
use std::time::SystemTime;

use self::cause::Cause;
use self::cursor::Cursor;
use self::events::Hook;
pub use self::guard::{CircuitGuard, DetachedGuard};
pub use self::machine::CircuitState;
use self::machine::{AdmittedCall, CallEnd, CallOutcome, FailedCall, Machine, Origin, PROBES};
pub use self::registry::{circuit_breaker, shared_breakers, shared_decisions};
pub(crate) use self::registry::{expect_counting, expect_deadlines, expect_overrides};
pub use self::run::CircuitCall;
use self::settings::Settings;
pub use self::settings::{OnCancel, Window};
pub use self::snapshot::{
    ChangeReason, CircuitSnapshot, StateChange, UnknownCircuitState, WindowSlice,
};
pub use self::sync::{CircuitDecision, LocalDecision};
pub use self::trial::Trial;
pub use self::watch::{WatchedGuard, watched, watched_trial};
use self::window::Span;
use crate::attempt_scope;
use crate::clock::{self, Timestamp};
use crate::context;
use crate::function_state::{self, resolve};
use crate::keyed::KeyLabel;
use crate::log;
use crate::mode;
use crate::outcome::Outcome;
use crate::registry::policy::{count_overdue, count_rejection, record_of};
use crate::registry::record::state_label;
use crate::registry::{Policy as _, PolicyFigures};
use crate::rejected::{FromRejected, Rejected, RejectedKind, reject, rejected_outcome};
use crate::rejection_signal::RejectionSignal;
use crate::settings::Live;
use crate::span;
use crate::switch;
use crate::sync::{AtomicU64, Mutex, lock};

/// Admits calls until too many fail, then rejects all calls for a while.
///
/// A closed breaker counts failures. It opens after a number of failures in a row
/// ([`failure_threshold`](Self::failure_threshold)) or at a share of failures in a window of calls
/// or time ([`failure_rate`](Self::failure_rate)). An open breaker rejects every call at once.
/// After [`reset_timeout`](Self::reset_timeout) the breaker is half-open and admits a few trial
/// calls; their outcomes close the breaker or open it again.
///
/// An error that `on` declines is an answer: the dependency works. The
/// [`source`](core::error::Error::source) of a rejection is the failure that opened the breaker.
///
/// Built by `const fn`, so a breaker can be a `static`. Every value is accepted without a panic,
/// and [`validate`](Self::validate) reports mistakes. The state is exact with any number of
/// threads, and no lock is held while a call runs. On a closed breaker that counts failures in a
/// row, a success costs two loads of a word.
///
/// ```
/// use resilience::{CircuitBreaker, CircuitState, Rejected};
///
/// static PAYMENTS: CircuitBreaker = CircuitBreaker::new().failure_threshold(2).name("payments");
///
/// #[derive(Debug, PartialEq)]
/// enum Failure {
///     Down,
///     Rejected(Rejected),
/// }
///
/// impl From<Rejected> for Failure {
///     fn from(rejected: Rejected) -> Self {
///         Failure::Rejected(rejected)
///     }
/// }
///
/// for _ in 0..2 {
///     let result: Result<(), Failure> = PAYMENTS.run(|| Err(Failure::Down));
///     assert_eq!(result, Err(Failure::Down));
/// }
/// assert_eq!(PAYMENTS.state(), CircuitState::Open);
/// let result: Result<(), Failure> = PAYMENTS.run(|| unreachable!("the circuit is open"));
/// assert!(matches!(result, Err(Failure::Rejected(rejected)) if rejected.name() == "payments"));
/// ```
#[derive(Debug)]
pub struct CircuitBreaker {
    /// The state for the fast paths, published at each change.
    word: AtomicU64,
    /// While open: the end of the open time, in the clock's nanoseconds.
    until: AtomicU64,
    cursor: Cursor,
    machine: Mutex<Machine>,
    cause: Cause,
    /// The settings of the code.
    settings: Settings,
    /// The settings in use, if overridden.
    live: Live<Settings>,
    /// The hook made at run time.
    hook: Option<Hook>,
    /// Whether the breaker belongs to an annotated function.
    listed: bool,
    /// The label of the key in rejections, if the breaker serves one key.
    key_label: Option<KeyLabel>,
    figures: PolicyFigures,
}

/// The place where the body of a call executes.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// On this thread, from now until the end of the guard, or of the first poll.
    Here,
    /// Unknown: the guard may travel to another thread.
    Elsewhere,
}

// The word: the generation in the high half; in the low half the number of a trial call (in a
// guard only) and these flags.
const STATE: u64 = 0b11;
const CLOSED: u64 = 0;
const OPEN: u64 = 1;
/// Every call asks the machine: half-open, forced open or disabled; open in shadow mode; closed
/// with a growing share of admitted calls; any state with events that wait for delivery.
const ASKS_MACHINE: u64 = 2;
/// The state of a `static` before the first call.
const UNUSED: u64 = 3;
/// A success has to clear the failures in a row.
const HAS_FAILURES: u64 = 1 << 2;
/// A success has to be recorded in the window.
const WINDOW: u64 = 1 << 4;
/// The breaker measures the duration of calls.
const TIMED: u64 = 1 << 3;
/// A success has to be counted in the figures.
const COUNTED: u64 = 1 << 5;
/// Overridden settings count other calls than the settings of the code do: a success takes the slow
/// path, which knows the settings in use.
const OVERRIDDEN: u64 = 1 << 6;
/// A call may begin after its deadline: every call examines the deadline.
const BOUNDED: u64 = 1 << 7;
const FLAGS: u64 = HAS_FAILURES | WINDOW | TIMED | COUNTED | OVERRIDDEN;
/// A closed breaker whose successes are only counted in the figures.
const COUNTED_ONLY: u64 = CLOSED | COUNTED;
/// A closed breaker with a window and without failures in a row.
const IN_WINDOW: u64 = CLOSED | WINDOW;
const PROBE_SHIFT: u32 = 8;
const GENERATION_SHIFT: u32 = 32;

const fn flags(settings: &Settings, failures: u32) -> u64 {
    let failures = if failures > 0 { HAS_FAILURES } else { 0 };
    let window = if settings.records() { WINDOW } else { 0 };
    let timed = if settings.slow_call.is_some() { TIMED } else { 0 };
    failures | window | timed
}

#[expect(clippy::cast_possible_truncation, reason = "only the halves are wanted")]
const fn admitted(seen: u64) -> AdmittedCall {
    let probe = (seen >> PROBE_SHIFT) as u32 & PROBES;
    AdmittedCall { generation: (seen >> GENERATION_SHIFT) as u32, probe }
}

/// Returns whether a breaker admits a call without a further question: closed, without `slow_call`,
/// in a process without deadlines.
#[inline]
const fn admits_at_once(seen: u64) -> bool {
    seen & (STATE | TIMED | BOUNDED) == CLOSED
}

impl CircuitBreaker {
    /// Admits a call, or rejects the call at once.
    ///
    /// # Errors
    /// [`Rejected`] if the breaker is open; with the time until a trial call.
    #[inline]
    pub fn try_acquire(&self) -> Result<CircuitGuard<'_>, Rejected> {
        self.acquire(Body::Elsewhere)
    }

    /// Admits a call with such a body.
    #[doc(hidden)]
    #[inline]
    pub fn acquire(&self, body: Body) -> Result<CircuitGuard<'_>, Rejected> {
        let seen = self.word.load(Acquire);
        if admits_at_once(seen) {
            return Ok(CircuitGuard { breaker: self, seen, started: None });
        }
        let (seen, started) =
            if seen & TIMED != 0 { self.admit_measured(body) } else { self.admit(seen, body) }?;
        Ok(CircuitGuard { breaker: self, seen, started })
    }

    /// Admits a call of a breaker by hand. The process may not know the breaker, so the call
    /// examines its deadline.
    fn admit_by_hand(&self) -> Result<CircuitGuard<'_>, Rejected> {
        if !self.last().shadow {
            self.overdue().map_or(Ok(()), Err)?;
        }
        self.acquire(Body::Here)
    }

    /// Admits a call of an annotated function without `slow_call`. The first call registers the
    /// breaker. In a test the override of the thread is used instead.
    ///
    /// The compiler knows here that no start time is kept, so the guard fits in two registers.
    #[doc(hidden)]
    #[inline]
    pub fn enter(&'static self, body: Body) -> Result<CircuitGuard<'static>, Rejected> {
        let seen = self.word.load(Acquire);
        if admits_at_once(seen) {
            return Ok(CircuitGuard { breaker: self, seen, started: None });
        }
        let (breaker, seen) = self.enter_slow(seen, body)?;
        Ok(CircuitGuard { breaker, seen, started: None })
    }

    /// Admits a call of an annotated function without `slow_call`, or returns the outcome of a
    /// rejected call.
    ///
    /// An open breaker builds the rejection in the place of the outcome: a rejection that is
    /// returned would be moved twice.
    ///
    /// # Errors
    /// The outcome of the rejection.
    #[doc(hidden)]
    #[inline]
    pub fn enter_or<O, By>(
        &'static self,
        body: Body,
        signal: Option<&RejectionSignal>,
    ) -> Result<CircuitGuard<'static>, O>
    where
        O: Outcome<Err: FromRejected<By>>,
    {
        let seen = self.word.load(Acquire);
        if admits_at_once(seen) {
            return Ok(CircuitGuard { breaker: self, seen, started: None });
        }
        // The arguments are constants, which the slow path then need not keep in registers.
        let (breaker, seen) = match (signal, body) {
            (None, Body::Here) => self.enter_slow_or::<true, O, By>(seen),
            (None, Body::Elsewhere) => self.enter_slow_or::<false, O, By>(seen),
            (Some(signal), _) => self.enter_slow_or_signal(seen, body, signal),
        }?;
        Ok(CircuitGuard { breaker, seen, started: None })
    }

    /// Admits a call of an annotated function with `slow_call`.
    #[doc(hidden)]
    #[inline]
    pub fn enter_timed(&'static self, body: Body) -> Result<CircuitGuard<'static>, Rejected> {
        let breaker = self.in_use(self.word.load(Acquire));
        let (seen, started) = breaker.admit_measured(body)?;
        Ok(CircuitGuard { breaker, seen, started })
    }

    /// Admits a call of a breaker with `slow_call`. Most often the call changes nothing but the
    /// list of running calls.
    #[inline(never)]
    fn admit_measured(&self, body: Body) -> Result<(u64, Option<Timestamp>), Rejected> {
        let seen = self.word.load(Acquire);
        let is_in_time = seen & BOUNDED == 0 || !context::is_overdue();
        if seen & STATE == CLOSED && is_in_time && mode::is_as_coded() {
            let now = clock::now();
            let mut machine = lock(&self.machine);
            if machine.start_in_time(&self.settings, now) {
                return Ok((u64::from(machine.generation) << GENERATION_SHIFT, Some(now)));
            }
        }
        self.admit(seen, body)
    }

    #[cold]
    #[inline(never)]
    fn enter_slow(&'static self, seen: u64, body: Body) -> Result<(&'static Self, u64), Rejected> {
        if let Some(rest) = self.open_time_left(seen) {
            return Err(self.rejection(Some(Duration::from_nanos(rest.get())), false));
        }
        if Self::is_closed_in_time(seen) {
            return Ok((self, seen));
        }
        self.enter_by_machine(seen, body)
    }

    /// Has few instructions beside a rejection by an open breaker: the other calls, which need more
    /// registers, have a function of their own.
    #[cold]
    #[inline(never)]
    fn enter_slow_or<const HERE: bool, O, By>(
        &'static self,
        seen: u64,
    ) -> Result<(&'static Self, u64), O>
    where
        O: Outcome<Err: FromRejected<By>>,
    {
        match self.plain_rejection(seen) {
            Some(rejected) => Err(rejected_outcome(rejected)),
            None => self.enter_slow_or_reject(if HERE { Body::Here } else { Body::Elsewhere }),
        }
    }

    /// As [`enter_slow_or`](Self::enter_slow_or), below a layer that reads rejections.
    #[cold]
    #[inline(never)]
    fn enter_slow_or_signal<O, By>(
        &'static self,
        seen: u64,
        body: Body,
        signal: &RejectionSignal,
    ) -> Result<(&'static Self, u64), O>
    where
        O: Outcome<Err: FromRejected<By>>,
    {
        if let Some(rejected) = self.plain_rejection(seen) {
            signal.set_kind(RejectedKind::CircuitOpen, rejected.retry_after());
            return Err(rejected_outcome(signal.mark(rejected)));
        }
        self.enter_slow(seen, body).map_err(|rejected| reject(signal.set(rejected)))
    }

    #[cold]
    #[inline(never)]
    fn enter_slow_or_reject<O, By>(&'static self, body: Body) -> Result<(&'static Self, u64), O>
    where
        O: Outcome<Err: FromRejected<By>>,
    {
        self.enter_slow(self.word.load(Acquire), body).map_err(reject)
    }

    /// Returns the rejection by an open breaker of a function, if no event reports the rejection.
    #[inline]
    fn plain_rejection(&self, seen: u64) -> Option<Rejected> {
        if seen & STATE != OPEN || !mode::rejects_plainly() || log::may_log_rejections() {
            return None;
        }
        let now = clock::real_time().word();
        let rest = NonZeroU64::new(self.until.load(Relaxed).saturating_sub(now))?;
        record_of(self).rejected.fetch_add(1, Relaxed);
        let after = Some(Duration::from_nanos(rest.get()));
        // The breaker of a function serves no key.
        Some(Rejected::by_breaker(self.name_or_default(), after, None, self.cause.get()))
    }

    /// Returns whether a closed breaker without `slow_call` admits a call in a process with
    /// deadlines: before the deadline of the call.
    #[inline]
    fn is_closed_in_time(seen: u64) -> bool {
        seen & (STATE | TIMED) == CLOSED && !context::is_overdue()
    }

    /// Separate from the rejections of an open breaker, which need no stack frame of this size.
    #[cold]
    #[inline(never)]
    fn enter_by_machine(
        &'static self,
        seen: u64,
        body: Body,
    ) -> Result<(&'static Self, u64), Rejected> {
        let breaker = self.in_use(seen);
        let (seen, _) = breaker.admit(breaker.word.load(Acquire), body)?;
        Ok((breaker, seen))
    }

    /// Returns the breaker, or the override of this thread. The first call registers the breaker.
    #[inline]
    fn in_use(&'static self, seen: u64) -> &'static Self {
        if seen & STATE != UNUSED {
            return self;
        }
        registry::register(self);
        let breaker = resolve(self);
        breaker.expect_counting();
        breaker
    }

    /// Records a success.
    #[inline]
    fn success(&self, seen: u64, started: Option<Timestamp>) {
        if self.is_idle() {
            return;
        }
        match started {
            None => self.succeed(seen),
            Some(started) => self.succeed_measured(seen, started),
        }
    }

    /// Returns whether a success has nothing to record.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "only the low half is wanted")]
    fn is_idle(&self) -> bool {
        (self.word.load(Acquire) & !BOUNDED) as u32 == 0
    }

    /// Records a success that changes state: most often the number of calls in the window.
    #[inline(never)]
    fn succeed(&self, seen: u64) {
        match self.word.load(Acquire) & (STATE | FLAGS) {
            COUNTED_ONLY => self.count_success(),
            IN_WINDOW if matches!(self.settings.span, Span::Time { .. }) => {
                self.succeed_in_period(seen);
            }
            IN_WINDOW if self.cursor.succeed(admitted(seen).generation) => {}
            _ => self.succeed_slow(seen),
        }
    }

    /// Records a success in a window of time. Separate from the other windows, which need no stack
    /// frame for a call of the clock.
    #[inline(never)]
    fn succeed_in_period(&self, seen: u64) {
        let generation = admitted(seen).generation;
        if !self.cursor.succeed_in_period(generation, clock::now()) {
            self.succeed_slow(seen);
        }
    }

    /// Records a success in the window. Returns whether no other state changes.
    #[inline]
    fn succeed_in_window(&self, seen: u64) -> bool {
        self.cursor.succeed_in(self.settings.span, admitted(seen).generation, clock::now)
    }

    #[inline(never)]
    fn succeed_slow(&self, seen: u64) {
        let word = self.word.load(Acquire) & (STATE | FLAGS);
        if word & COUNTED != 0 {
            self.count_success();
        }
        if word & !COUNTED != IN_WINDOW || !self.succeed_in_window(seen) {
            self.settle_success(seen, None);
        }
    }

    /// Records the success of a call of a breaker with `slow_call`.
    #[inline(never)]
    fn succeed_measured(&self, seen: u64, started: Timestamp) {
        let word = self.word.load(Acquire);
        if word & COUNTED != 0 {
            self.count_success();
        }
        let is_quiet = word & (STATE | HAS_FAILURES | OVERRIDDEN) == CLOSED;
        let end = (admitted(seen), started, clock::now());
        let is_counted = is_quiet
            && lock(&self.machine).count_success_in_time(&self.settings, &self.cursor, end);
        if !is_counted {
            self.settle_success(seen, Some(started));
        }
    }

    #[cold]
    fn settle_success(&self, seen: u64, started: Option<Timestamp>) {
        self.settle(seen, CallOutcome::Success, started, &|| None);
    }

    #[cold]
    #[inline(never)]
    fn admit(&self, seen: u64, body: Body) -> Result<(u64, Option<Timestamp>), Rejected> {
        if let Some(rest) = self.open_time_left(seen) {
            return Err(self.rejection(Some(Duration::from_nanos(rest.get())), false));
        }
        if Self::is_closed_in_time(seen) {
            return Ok((seen, None));
        }
        let (seen, started) = self.admit_by_machine()?;
        if body == Body::Here && trial::is_trial(seen) {
            Trial::of(self, seen).enter();
        }
        Ok((seen, started))
    }

    /// Returns the rest of the open time in nanoseconds, if the published state rejects every call.
    #[inline]
    fn open_time_left(&self, seen: u64) -> Option<NonZeroU64> {
        if seen & STATE != OPEN || !mode::is_as_coded() {
            return None;
        }
        NonZeroU64::new(self.until.load(Relaxed).saturating_sub(clock::now().word()))
    }

    /// Tells the layers above how long the breaker rejects every call: a retry then makes no
    /// attempt that would be rejected.
    #[cold]
    fn report_open(&self, signal: Option<&RejectionSignal>) {
        if self.word.load(Acquire) & STATE == CLOSED || !switch::is_enabled() {
            return;
        }
        let (state, until) = {
            let machine = lock(&self.machine);
            (machine.state, machine.until)
        };
        let open = match (state, until) {
            _ if self.last().shadow => return,
            (CircuitState::ForcedOpen, _) => Duration::MAX,
            (CircuitState::Open, Some(until)) => until.since(clock::now()),
            _ => return,
        };
        attempt_scope::report_open(open);
        signal.inspect(|signal| signal.set_open_for(open));
    }

    #[cold]
    #[inline(never)]
    fn admit_by_machine(&self) -> Result<(u64, Option<Timestamp>), Rejected> {
        let settings = self.current();
        if !switch::is_enabled() || !settings.enabled {
            return Ok((self.word.load(Acquire), None));
        }
        if !settings.shadow {
            self.overdue().map_or(Ok(()), Err)?;
        }
        let now = clock::now();
        let is_inside =
            |generation: u32| Trial::in_generation(self, generation.into()).is_running();
        match self.change(|machine| machine.admit(&settings, &self.cursor, now, is_inside)) {
            Ok(AdmittedCall { generation, probe }) => {
                if probe > 0 {
                    span::record_circuit_state(|| state_label(CircuitState::HalfOpen));
                }
                let seen = u64::from(generation) << GENERATION_SHIFT;
                let started = settings.slow_call.map(|_| now);
                Ok((seen | u64::from(probe) << PROBE_SHIFT, started))
            }
            Err(after) => self.reject(after),
        }
    }

    /// Counts and returns a rejection.
    #[inline]
    fn rejection(&self, after: Option<Duration>, is_shadow: bool) -> Rejected {
        count_rejection(self, is_shadow);
        span::record_circuit_state(|| state_label(self.state()));
        let (name, key) = (self.name_or_default(), self.key_label.as_ref());
        Rejected::by_breaker(name, after, key, self.cause.get())
    }

    /// Counts and returns the rejection of a call after its deadline.
    #[inline]
    fn overdue(&self) -> Option<Rejected> {
        let rejected = context::overdue(self.name_or_default(), self.key_label.as_ref())?;
        count_overdue(self);
        Some(rejected)
    }

    /// Rejects a call. In shadow mode the call is admitted instead, with a generation of the past:
    /// the outcome changes nothing.
    fn reject(&self, after: Option<Duration>) -> Result<(u64, Option<Timestamp>), Rejected> {
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
    fn settle(
        &self,
        seen: u64,
        outcome: CallOutcome,
        started: Option<Timestamp>,
        text: &dyn Fn() -> Option<String>,
    ) {
        if trial::is_trial(seen) {
            Trial::of(self, seen).leave();
        }
        let settings = self.current();
        if !switch::is_enabled() || !settings.enabled {
            return;
        }
        let end = CallEnd { call: admitted(seen), outcome, started };
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
    fn cancel(&self, seen: u64, started: Option<Timestamp>, panicked: bool) {
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
    fn change<T>(&self, change: impl FnOnce(&mut Machine) -> T) -> T {
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
                location: self.figures.place(),
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
        if from != to && is_local && self.settings.shared.is_some() {
            registry::DECISIONS.notify();
        }
        if has_events {
            self.deliver();
        }
        result
    }

    /// Publishes the state for the fast paths.
    fn publish(&self, machine: &Machine) {
        let settings = self.last();
        if let Some(until) = machine.until {
            self.until.store(until.word(), Relaxed);
        }
        let extra = &machine.extra;
        let asks_machine = extra.events.are_deferred() || extra.recovery.is_some();
        let state = match machine.state {
            _ if asks_machine => ASKS_MACHINE,
            CircuitState::Closed => {
                let overridden = if settings.counts_as(&self.settings) { 0 } else { OVERRIDDEN };
                CLOSED | overridden | flags(&settings, machine.consecutive_failures)
            }
            // In shadow mode an open breaker rejects no call.
            CircuitState::Open if !settings.shadow => OPEN,
            _ => ASKS_MACHINE,
        };
        // If a test may have an override, every call has to take the path that looks for
        // overrides.
        let state =
            if self.listed && function_state::is_ever_overridden() { UNUSED } else { state };
        let counted = if mode::is_counting() { COUNTED } else { 0 };
        let bounded = if mode::has_deadlines() { BOUNDED } else { 0 };
        let word = u64::from(machine.generation) << GENERATION_SHIFT | counted | bounded | state;
        // Written only if different: a write slows down the readers of a shared word.
        if self.word.load(Relaxed) != word {
            self.word.store(word, Release);
        }
    }
}
