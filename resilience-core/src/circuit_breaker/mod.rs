//! Circuit breakers: stop calling a dependency that keeps failing, then test it with trial calls.

mod cause;
mod control;
mod cursor;
mod events;
mod guard;
mod machine;
#[cfg(all(test, resilience_loom))]
mod model;
mod notify;
mod recovery;
mod registry;
mod report;
mod run;
mod running;
mod settings;
mod snapshot;
mod sync;
mod watch;
mod window;

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::time::Duration;

use self::cause::Cause;
use self::cursor::Cursor;
use self::events::Hook;
pub use self::guard::{CircuitGuard, DetachedGuard};
pub use self::machine::CircuitState;
use self::machine::{AdmittedCall, CallEnd, CallOutcome, Machine, Origin, PROBES};
pub use self::notify::Notified;
pub use self::registry::{circuit_breaker, shared_breakers};
pub(crate) use self::registry::{expect_counting, expect_overrides};
pub use self::run::CircuitCall;
use self::settings::Settings;
pub use self::settings::{OnCancel, Window};
pub use self::snapshot::{CircuitSnapshot, StateChange, UnknownCircuitState, WindowSlice};
pub use self::sync::{CircuitDecision, LocalDecision};
pub use self::watch::{WatchedGuard, watched};
use crate::clock::{self, Timestamp};
use crate::function_state::{self, resolve};
use crate::keyed::KeyLabel;
use crate::log;
use crate::mode;
use crate::registry::PolicyFigures;
use crate::registry::record::state_label;
use crate::rejected::{Rejected, RejectedKind};
use crate::span;
use crate::switch;
use crate::sync::{AtomicU64, Mutex, Tally, lock};

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
    /// For statistics only, so separate from the machine.
    rejected: Tally,
    cursor: Cursor,
    machine: Mutex<Machine>,
    cause: Cause,
    settings: Settings,
    /// The hook made at run time.
    hook: Option<Hook>,
    /// Whether the breaker belongs to an annotated function.
    listed: bool,
    /// The label of the key in rejections, if the breaker serves one key.
    key_label: Option<KeyLabel>,
    figures: PolicyFigures,
}

// The word: the generation in the high half; in the low half the number of a trial call (in a
// guard only) and these flags.
const STATE: u64 = 0b11;
const CLOSED: u64 = 0;
const OPEN: u64 = 1;
/// Every call asks the machine: half-open, forced open or disabled; closed with a growing share of
/// admitted calls; any state with events that wait for delivery.
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

impl CircuitBreaker {
    /// Admits a call, or rejects the call at once.
    ///
    /// # Errors
    /// [`Rejected`] if the breaker is open; with the time until a trial call.
    #[inline]
    pub fn try_acquire(&self) -> Result<CircuitGuard<'_>, Rejected> {
        let seen = self.word.load(Acquire);
        if seen & (STATE | TIMED) == CLOSED {
            return Ok(CircuitGuard { breaker: self, seen, started: None });
        }
        let (seen, started) = self.admit(seen)?;
        Ok(CircuitGuard { breaker: self, seen, started })
    }

    /// Admits a call of an annotated function without `slow_call`. The first call registers the
    /// breaker. In a test the override of the thread is used instead.
    ///
    /// The compiler knows here that no start time is kept, so the guard fits in two registers.
    #[doc(hidden)]
    #[inline]
    pub fn enter(&'static self) -> Result<CircuitGuard<'static>, Rejected> {
        let seen = self.word.load(Acquire);
        if seen & (STATE | TIMED) == CLOSED {
            return Ok(CircuitGuard { breaker: self, seen, started: None });
        }
        let (breaker, seen, _) = self.enter_slow(seen)?;
        Ok(CircuitGuard { breaker, seen, started: None })
    }

    /// Admits a call of an annotated function with `slow_call`.
    #[doc(hidden)]
    #[inline]
    pub fn enter_timed(&'static self) -> Result<CircuitGuard<'static>, Rejected> {
        let (breaker, seen, started) = self.enter_slow(self.word.load(Acquire))?;
        Ok(CircuitGuard { breaker, seen, started })
    }

    #[cold]
    #[inline(never)]
    fn enter_slow(
        &'static self,
        seen: u64,
    ) -> Result<(&'static Self, u64, Option<Timestamp>), Rejected> {
        let breaker = if seen & STATE == UNUSED {
            registry::register(self);
            let breaker = resolve(self);
            breaker.expect_counting();
            breaker
        } else {
            self
        };
        let seen = if core::ptr::eq(breaker, self) { seen } else { breaker.word.load(Acquire) };
        let (seen, started) = breaker.admit(seen)?;
        Ok((breaker, seen, started))
    }

    /// Returns whether a success has nothing to record.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "only the low half is wanted")]
    fn is_idle(&self) -> bool {
        self.word.load(Acquire) as u32 == 0
    }

    /// Records a success that changes state: most often a position in the window.
    #[inline(never)]
    fn succeed(&self, seen: u64, started: Option<Timestamp>) {
        let word = self.word.load(Acquire);
        let counted = word & (STATE | HAS_FAILURES | WINDOW | TIMED | COUNTED) == CLOSED | WINDOW
            && self.cursor.succeed(admitted(seen).generation, self.settings.span);
        if !counted {
            self.succeed_slow(seen, started);
        }
    }

    #[cold]
    fn succeed_slow(&self, seen: u64, started: Option<Timestamp>) {
        let word = self.word.load(Acquire);
        if word & COUNTED != 0 {
            self.count_success();
            let flags = word & (STATE | HAS_FAILURES | WINDOW | TIMED);
            let is_done = flags == CLOSED
                || flags == CLOSED | WINDOW
                    && self.cursor.succeed(admitted(seen).generation, self.settings.span);
            if is_done {
                return;
            }
        }
        self.settle(seen, CallOutcome::Success, started, &|| None);
    }

    #[cold]
    #[inline(never)]
    fn admit(&self, seen: u64) -> Result<(u64, Option<Timestamp>), Rejected> {
        let now = clock::now();
        if seen & STATE == OPEN && switch::is_enabled() {
            let until = Timestamp::from_nanos(self.until.load(Relaxed));
            if now < until {
                return self.reject(Some(until.since(now)));
            }
        }
        self.admit_by_machine(now)
    }

    /// Separate from the rejections of an open breaker, which need no stack frame of this size.
    #[cold]
    #[inline(never)]
    fn admit_by_machine(&self, now: Timestamp) -> Result<(u64, Option<Timestamp>), Rejected> {
        if !switch::is_enabled() {
            return Ok((self.word.load(Acquire), None));
        }
        match self.change(|machine| machine.admit(&self.settings, &self.cursor, now)) {
            Ok(AdmittedCall { generation, probe }) => {
                if probe > 0 {
                    span::record_circuit_state(|| state_label(CircuitState::HalfOpen));
                }
                let seen = u64::from(generation) << GENERATION_SHIFT;
                let started = self.settings.slow_call.map(|_| now);
                Ok((seen | u64::from(probe) << PROBE_SHIFT, started))
            }
            Err(after) => self.reject(after),
        }
    }

    /// Rejects a call. In shadow mode the call is admitted instead, with a generation of the past:
    /// the outcome changes nothing.
    #[inline]
    fn reject(&self, after: Option<Duration>) -> Result<(u64, Option<Timestamp>), Rejected> {
        self.rejected.fetch_add(1, Relaxed);
        self.count_rejected();
        let (name, key) = (self.name_or_default(), self.key_label.as_ref());
        let rejected = Rejected::by_policy(RejectedKind::CircuitOpen, name, after, key);
        if self.settings.shadow {
            log::shadow_rejection(&rejected);
            let generation = (self.word.load(Acquire) >> GENERATION_SHIFT).wrapping_sub(1);
            return Ok((generation << GENERATION_SHIFT, None));
        }
        Err(self.cause.add_to(rejected))
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
        if !switch::is_enabled() {
            return;
        }
        let end = CallEnd { call: admitted(seen), outcome, started };
        let changed = self.transition(|machine| {
            let before = machine.generation;
            machine.settle(&self.settings, &self.cursor, end, clock::now);
            (machine.generation != before && machine.state == CircuitState::Open)
                .then_some(machine.generation)
        });
        // Before the delivery, so that the event knows the cause.
        if let Some(generation) = changed.result {
            self.keep_cause(generation, text);
        }
        if changed.has_events {
            self.deliver();
        }
    }

    /// Records a call whose guard was dropped without a report.
    #[cold]
    #[inline(never)]
    fn cancel(&self, seen: u64, started: Option<Timestamp>, panicked: bool) {
        self.count_end(panicked);
        let failed = panicked || self.settings.on_cancel == OnCancel::Failure;
        let outcome = if failed { CallOutcome::Failure(None) } else { CallOutcome::Neutral };
        let text = if panicked { "the call panicked" } else { "the call was cancelled" };
        self.settle(seen, outcome, started, &|| Some(text.to_owned()));
    }

    /// Changes the machine, publishes the state for the fast paths, and delivers the events after
    /// unlocking.
    fn change<T>(&self, change: impl FnOnce(&mut Machine) -> T) -> T {
        let changed = self.transition(change);
        if changed.has_events {
            self.deliver();
        }
        changed.result
    }

    fn transition<T>(&self, change: impl FnOnce(&mut Machine) -> T) -> Changed<T> {
        let mut machine = lock(&self.machine);
        let (from, generation) = (machine.state, machine.generation);
        let result = change(&mut machine);
        if machine.generation != generation {
            match machine.state {
                // The calls before the opening stay in view.
                CircuitState::Open => self.cursor.retain(machine.generation),
                _ => self.cursor.reset(machine.generation),
            }
            if !matches!(machine.state, CircuitState::Open | CircuitState::ForcedOpen) {
                self.rejected.store(0, Relaxed);
            }
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
                open_for: machine.until.map(|until| until.since(clock::now())),
                remote: machine.origin == Origin::Remote,
                shadow: self.settings.shadow,
                number: 0,
            };
            machine.events.changed(change, is_local);
            self.count_transition(from, to, machine.origin);
        }
        let has_events = machine.events.start_delivery();
        self.publish(&machine);
        drop(machine);
        if from != to && is_local && self.settings.shared.is_some() {
            notify::notify();
        }
        Changed { result, has_events }
    }

    /// Publishes the state for the fast paths.
    fn publish(&self, machine: &Machine) {
        if let Some(until) = machine.until {
            self.until.store(until.word(), Relaxed);
        }
        let asks_machine = machine.events.are_deferred() || machine.recovery.is_some();
        let state = match machine.state {
            _ if asks_machine => ASKS_MACHINE,
            CircuitState::Closed => CLOSED | flags(&self.settings, machine.consecutive_failures),
            CircuitState::Open => OPEN,
            _ => ASKS_MACHINE,
        };
        // If a test may have an override, every call has to take the path that looks for
        // overrides.
        let state =
            if self.listed && function_state::is_ever_overridden() { UNUSED } else { state };
        let counted = if mode::is_counting() { COUNTED } else { 0 };
        let word = u64::from(machine.generation) << GENERATION_SHIFT | counted | state;
        // Written only if different: a write slows down the readers of a shared word.
        if self.word.load(Relaxed) != word {
            self.word.store(word, Release);
        }
    }
}

/// The result of a change, and whether this thread has to deliver events.
struct Changed<T> {
    result: T,
    has_events: bool,
}
