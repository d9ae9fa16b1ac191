//! Circuit breakers: stop calling a dependency that keeps failing, then test it with trial calls.

mod call;
mod cause;
mod circuit_state;
mod control;
mod cursor;
mod definition;
mod events;
mod guard;
mod live;
mod machine;
#[cfg(all(test, resilience_loom))]
mod model;
mod on_demand;
mod per_key;
mod recovery;
mod registry;
mod report;
mod run;
mod running;
mod settings;
mod slots;
mod snapshot;
mod sync;
mod trial;
mod trial_calls;
mod view;
mod watch;
mod window;
mod word;

use core::fmt;
use core::num::NonZeroU64;
use core::sync::atomic::Ordering::{Acquire, Relaxed};
use core::time::Duration;

use self::call::AdmittedCall;
pub use self::circuit_state::CircuitState;
pub use self::definition::Defined;
use self::definition::{Definition, State, View};
pub use self::guard::{CircuitGuard, DetachedGuard};
pub use self::per_key::KeyCircuitBreaker;
pub(crate) use self::registry::republish_all;
pub use self::registry::{circuit_breaker, shared_breakers, shared_decisions};
pub use self::run::CircuitCall;
pub use self::settings::{OnCancel, Window};
pub use self::snapshot::{
    ChangeReason, CircuitSnapshot, StateChange, UnknownCircuitState, WindowSlice,
};
pub use self::sync::{CircuitDecision, LocalDecision};
pub use self::trial::Trial;
pub use self::watch::{WatchedGuard, watched, watched_trial};
use self::word::{
    BOUNDED, CLOSED, COUNTED, COUNTED_IN_WINDOW, COUNTED_ONLY, FLAGS, HAS_FAILURES, IN_PERIOD,
    IN_WINDOW, OPEN, STATE, TIMED, TIMED_IN_PERIOD, TIMED_IN_WINDOW, UNUSED, admits_at_once,
    admitted, guard_word, is_closed_in_time, without_slot,
};
use crate::clock::{self, Timestamp};
use crate::context;
use crate::figures::table::slot;
use crate::function_state::resolve;
use crate::log;
use crate::mode;
use crate::outcome::Outcome;
use crate::registry::policy::{count, record_of};
use crate::rejected::{FromRejected, Rejected, RejectedKind, reject, rejected_outcome};
use crate::rejection_signal::RejectionSignal;

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
///
/// `D` is the place of the settings: in the breaker, or for the breakers of a
/// [`Keyed`](crate::Keyed) table in one place for all keys.
pub struct CircuitBreaker<D: Defined = Definition> {
    definition: D,
    state: State,
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

impl<D: Defined> CircuitBreaker<D> {
    /// Admits a call, or rejects the call at once.
    ///
    /// # Errors
    /// [`Rejected`] if the breaker is open; with the time until a trial call.
    #[inline]
    pub fn try_acquire(&self) -> Result<CircuitGuard<'_, D>, Rejected> {
        self.acquire(Body::Elsewhere)
    }

    /// Admits a call with such a body. The list of breakers that are told when counting starts has
    /// those of annotated functions only, so each call of another breaker asks.
    #[doc(hidden)]
    #[inline]
    pub fn acquire(&self, body: Body) -> Result<CircuitGuard<'_, D>, Rejected> {
        self.view().expect_counting();
        self.acquire_prepared(body)
    }

    #[inline]
    fn acquire_prepared(&self, body: Body) -> Result<CircuitGuard<'_, D>, Rejected> {
        let seen = self.state.word.load(Acquire);
        if admits_at_once(seen) {
            return Ok(CircuitGuard { breaker: self, seen, started: None });
        }
        let (seen, started) = self.acquire_slow(seen, body)?;
        Ok(CircuitGuard { breaker: self, seen, started })
    }

    #[inline(never)]
    fn acquire_slow(&self, seen: u64, body: Body) -> Result<(u64, Option<Timestamp>), Rejected> {
        let view = self.view();
        if seen & TIMED != 0 { view.admit_measured(body) } else { view.admit(seen, body) }
    }

    /// Admits a call of a breaker by hand. The process may not know the breaker, so the call
    /// examines its deadline.
    #[inline]
    fn admit_by_hand(&self) -> Result<CircuitGuard<'_, D>, Rejected> {
        if !mode::is_plain() {
            self.prepare_by_hand()?;
        }
        self.acquire_prepared(Body::Here)
    }

    #[inline(never)]
    fn prepare_by_hand(&self) -> Result<(), Rejected> {
        let view = self.view();
        view.expect_counting();
        if view.last().shadow { Ok(()) } else { view.overdue().map_or(Ok(()), Err) }
    }

    /// Records a success.
    #[inline]
    fn success(&self, seen: u64, started: Option<Timestamp>) {
        match (self.state.flags_but_for(BOUNDED), started) {
            (0, _) => {}
            (COUNTED_ONLY, None) => count(self, slot::SUCCESS),
            (_, None) => self.succeed(seen),
            (_, Some(started)) => self.succeed_measured(seen, started),
        }
    }

    // The functions below are not inlined, so that the code of a call has one pointer, to the
    // breaker, and not the two pointers of a view.

    /// Records a success that changes state: most often the number of calls in the window.
    #[inline(never)]
    fn succeed(&self, seen: u64) {
        match self.state.word.load(Acquire) & (STATE | FLAGS) {
            IN_WINDOW if self.state.cursor.succeed(admitted(seen).generation) => {}
            IN_PERIOD => self.succeed_in_period(seen),
            COUNTED_IN_WINDOW => self.succeed_counted(seen),
            _ => self.succeed_slow(seen),
        }
    }

    /// Records a success in a window of calls, and counts the success in the figures.
    #[inline(never)]
    fn succeed_counted(&self, seen: u64) {
        if self.state.cursor.succeed(admitted(seen).generation) {
            count(self, slot::SUCCESS);
        } else {
            self.succeed_slow(seen);
        }
    }

    /// Records a success in a window of time. Separate from the other windows, which need no stack
    /// frame for a call of the clock.
    #[inline(never)]
    fn succeed_in_period(&self, seen: u64) {
        let generation = admitted(seen).generation;
        if !self.state.cursor.succeed_in_period(generation, clock::now()) {
            self.succeed_slow(seen);
        }
    }

    #[inline(never)]
    fn succeed_slow(&self, seen: u64) {
        self.view().succeed_slow(seen);
    }

    /// Records the success of a measured call. Most often the call gives back its slot, and a
    /// window of calls or time counts the success.
    #[inline(never)]
    fn succeed_measured(&self, seen: u64, started: Timestamp) {
        let word = self.state.word.load(Acquire) & (STATE | FLAGS);
        if !matches!(word, TIMED_IN_WINDOW | TIMED_IN_PERIOD) {
            return self.succeed_measured_slow(seen, started);
        }
        let (now, AdmittedCall { generation, place, .. }) = (clock::now(), admitted(seen));
        let slots = self.state.slots();
        if !slots.is_some_and(|slots| slots.end(generation, place, now)) {
            return self.settle_success(seen, started);
        }
        // The slot is given back first, so that no search counts the call twice.
        let is_in_bucket = word == TIMED_IN_WINDOW || self.state.cursor.is_in_bucket(now);
        if !is_in_bucket || !self.state.cursor.succeed(generation) {
            self.settle_success(without_slot(seen), started);
        }
    }

    #[inline(never)]
    fn succeed_measured_slow(&self, seen: u64, started: Timestamp) {
        if self.state.word.load(Acquire) & COUNTED != 0 {
            count(self, slot::SUCCESS);
        }
        self.settle_success(seen, started);
    }

    #[inline(never)]
    fn settle_success(&self, seen: u64, started: Timestamp) {
        self.view().settle_success(seen, Some(started));
    }

    /// Records a call whose guard was dropped without a report.
    #[cold]
    #[inline(never)]
    fn cancel(&self, seen: u64, started: Option<Timestamp>, panicked: bool) {
        self.view().cancel(seen, started, panicked);
    }

    #[cold]
    #[inline(never)]
    fn report_open(&self, signal: &RejectionSignal) {
        self.view().report_open(Some(signal));
    }
}

impl<D: Defined> fmt::Debug for CircuitBreaker<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let View { definition, state } = self.view();
        f.debug_struct("CircuitBreaker")
            .field("definition", definition)
            .field("state", state)
            .finish()
    }
}

impl State {
    /// Admits a measured call of a closed breaker, if the claim of a slot is the only change of the
    /// state. Returns the word and the start, in two registers.
    #[inline(never)]
    fn start_in_slot(&self) -> (u64, Option<Timestamp>) {
        let seen = self.word.load(Acquire);
        let is_usual = seen & STATE == CLOSED
            && (seen & BOUNDED == 0 || !context::is_overdue())
            && mode::is_as_coded();
        let (true, Some(slots)) = (is_usual, self.slots()) else { return (seen, None) };
        let (now, generation) = (clock::now(), admitted(seen).generation);
        match slots.start(generation, now) {
            Some(place) => (guard_word(AdmittedCall { generation, trial: 0, place }), Some(now)),
            None => (seen, None),
        }
    }

    /// Returns the state and the flags, but for some flags. 0 is a closed breaker: a success has
    /// nothing to record.
    #[inline]
    fn flags_but_for(&self, flags: u64) -> u64 {
        self.word.load(Acquire) & u64::from(u32::MAX) & !flags
    }

    /// Returns whether the published state is open, or closed with failures in a row, and stays so
    /// for longer without a call. Reads no more than the words of the fast paths.
    fn lasts(&self, now: Timestamp) -> bool {
        let word = self.word.load(Acquire);
        let now = match (word & STATE, word & HAS_FAILURES) {
            (OPEN, _) => now.word(),
            (CLOSED, HAS_FAILURES) => now.since_origin(),
            _ => return false,
        };
        now < self.until.load(Relaxed)
    }
}

/// The breaker of an annotated function, in a `static`.
impl CircuitBreaker {
    /// Admits a call of an annotated function without `slow_call`. The first call registers the
    /// breaker. In a test the override of the thread is used instead.
    ///
    /// The compiler knows here that no start time is kept, so the guard fits in two registers.
    #[doc(hidden)]
    #[inline]
    pub fn enter(&'static self, body: Body) -> Result<CircuitGuard<'static>, Rejected> {
        let seen = self.state.word.load(Acquire);
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
        let seen = self.state.word.load(Acquire);
        if admits_at_once(seen) {
            return Ok(CircuitGuard { breaker: self, seen, started: None });
        }
        if seen & STATE != OPEN {
            let (breaker, seen) = self.enter_closed_or(seen, body, signal)?;
            return Ok(CircuitGuard { breaker, seen, started: None });
        }
        // The arguments are constants, which the slow path then need not keep in registers.
        let (breaker, seen) = match (signal, body) {
            (None, Body::Here) => self.enter_open_or::<true, O, By>(),
            (None, Body::Elsewhere) => self.enter_open_or::<false, O, By>(),
            (Some(signal), _) => self.enter_open_or_signal(body, signal),
        }?;
        Ok(CircuitGuard { breaker, seen, started: None })
    }

    /// Admits a call of an annotated function with `slow_call`.
    #[doc(hidden)]
    #[inline]
    pub fn enter_timed(&'static self, body: Body) -> Result<CircuitGuard<'static>, Rejected> {
        let (seen, started) = self.state.start_in_slot();
        if started.is_some() {
            return Ok(CircuitGuard { breaker: self, seen, started });
        }
        let (breaker, seen, started) = self.enter_timed_slow(seen, body)?;
        Ok(CircuitGuard { breaker, seen, started })
    }

    #[inline(never)]
    fn enter_timed_slow(
        &'static self,
        seen: u64,
        body: Body,
    ) -> Result<(&'static Self, u64, Option<Timestamp>), Rejected> {
        let breaker = self.in_use(seen);
        let (seen, started) = breaker.view().admit_measured(body)?;
        Ok((breaker, seen, started))
    }

    #[cold]
    #[inline(never)]
    fn enter_slow(&'static self, seen: u64, body: Body) -> Result<(&'static Self, u64), Rejected> {
        if let Some(rest) = self.view().open_time_left(seen) {
            return Err(self.view().rejection(Some(Duration::from_nanos(rest.get())), false));
        }
        if is_closed_in_time(seen) {
            return Ok((self, seen));
        }
        self.enter_by_machine(seen, body)
    }

    /// Has few instructions beside a rejection by an open breaker: the other calls, which need more
    /// registers, have functions of their own.
    #[cold]
    #[inline(never)]
    fn enter_open_or<const HERE: bool, O, By>(&'static self) -> Result<(&'static Self, u64), O>
    where
        O: Outcome<Err: FromRejected<By>>,
    {
        let body = if HERE { Body::Here } else { Body::Elsewhere };
        match self.plain_rejection() {
            Some(rejected) => Err(rejected_outcome(rejected)),
            None => self.enter_slow_or_reject(body, None),
        }
    }

    /// As [`enter_open_or`](Self::enter_open_or), below a layer that reads rejections.
    #[cold]
    #[inline(never)]
    fn enter_open_or_signal<O, By>(
        &'static self,
        body: Body,
        signal: &RejectionSignal,
    ) -> Result<(&'static Self, u64), O>
    where
        O: Outcome<Err: FromRejected<By>>,
    {
        match self.plain_rejection() {
            Some(mut rejected) => {
                signal.set_kind(RejectedKind::CircuitOpen, rejected.retry_after());
                signal.mark(&mut rejected);
                Err(rejected_outcome(rejected))
            }
            None => self.enter_slow_or_reject(body, Some(signal)),
        }
    }

    /// Admits a call unless the breaker was open: most often before the deadline of the call.
    #[inline(never)]
    fn enter_closed_or<O, By>(
        &'static self,
        seen: u64,
        body: Body,
        signal: Option<&RejectionSignal>,
    ) -> Result<(&'static Self, u64), O>
    where
        O: Outcome<Err: FromRejected<By>>,
    {
        if is_closed_in_time(seen) {
            return Ok((self, seen));
        }
        self.enter_slow_or_reject(body, signal)
    }

    #[cold]
    #[inline(never)]
    fn enter_slow_or_reject<O, By>(
        &'static self,
        body: Body,
        signal: Option<&RejectionSignal>,
    ) -> Result<(&'static Self, u64), O>
    where
        O: Outcome<Err: FromRejected<By>>,
    {
        self.enter_slow(self.state.word.load(Acquire), body).map_err(|rejected| {
            reject(match signal {
                Some(signal) => signal.set(rejected),
                None => rejected,
            })
        })
    }

    /// Returns the rejection by an open breaker of a function, if no event reports the rejection.
    #[inline]
    fn plain_rejection(&self) -> Option<Rejected> {
        if !mode::rejects_plainly() || log::may_log_rejections() {
            return None;
        }
        let now = clock::real_time().word();
        let rest = NonZeroU64::new(self.state.until.load(Relaxed).saturating_sub(now))?;
        record_of(self).rejected.fetch_add(1, Relaxed);
        let (name, cause) = (self.view().name_or_default(), self.state.cause.get());
        // The breaker of a function serves no key.
        Some(Rejected::by_breaker(name, Some(rest.get()), None, cause))
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
        let (seen, _) = breaker.view().admit(breaker.state.word.load(Acquire), body)?;
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
        breaker.view().expect_counting();
        breaker
    }
}
