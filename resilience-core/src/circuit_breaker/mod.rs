//! Circuit breakers: stop calling a dependency that keeps failing, then test it with trial calls.

mod control;
mod cursor;
mod guard;
mod machine;
#[cfg(all(test, resilience_loom))]
mod model;
mod notify;
mod registry;
mod run;
mod settings;
mod snapshot;
mod sync;
mod window;

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::time::Duration;

use self::cursor::Cursor;
pub use self::guard::{CircuitGuard, DetachedGuard};
pub use self::machine::CircuitState;
use self::machine::{AdmittedCall, CallOutcome, Machine, Origin, PROBES};
pub use self::notify::Notified;
pub(crate) use self::registry::expect_overrides;
pub use self::registry::{circuit_breaker, shared_breakers};
pub use self::run::CircuitCall;
use self::settings::Settings;
pub use self::settings::{OnCancel, Window};
pub use self::snapshot::{CircuitSnapshot, StateChange};
pub use self::sync::{CircuitDecision, LocalDecision};
use crate::clock::{self, Timestamp};
use crate::function_state::{self, resolve};
use crate::log;
use crate::rejected::{Rejected, RejectedKind};
use crate::switch;
use crate::sync::{AtomicU64, Mutex, Tally, lock};

/// Lets calls through until too many fail, then turns them away for a while.
///
/// Closed, it counts failures. It opens when so many follow one another
/// ([`failure_threshold`](Self::failure_threshold)) or when they are too large a share of the last
/// calls or the last seconds ([`failure_rate`](Self::failure_rate)), and then turns every call away at
/// once. After [`reset_timeout`](Self::reset_timeout) it is half-open: a few calls go through as
/// probes, and as soon as their outcomes decide it, it closes or opens again.
///
/// Built by `const fn`, so that one can stand in a `static`; any value is accepted, nothing panics,
/// and [`validate`](Self::validate) says what makes no sense. The state is exact under any number of
/// threads; no lock is held while a call runs. A closed breaker that counts failures in a row costs a
/// success two loads of one word.
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
/// let result: Result<(), Failure> = PAYMENTS.run(|| unreachable!("nothing is called"));
/// assert!(matches!(result, Err(Failure::Rejected(rejected)) if rejected.name() == "payments"));
/// ```
#[derive(Debug)]
pub struct CircuitBreaker {
    /// What the fast paths need of the machine, published whenever it changes.
    word: AtomicU64,
    /// While open: when that ends, in the clock's nanoseconds.
    until: AtomicU64,
    /// Statistics only, so not part of the machine.
    rejected: Tally,
    cursor: Cursor,
    machine: Mutex<Machine>,
    settings: Settings,
    /// Whether it is that of an annotated function.
    listed: bool,
}

// The word: the generation in the high half; in the low one the number of a probe (in a guard only),
// and these.
const STATE: u64 = 0b11;
const CLOSED: u64 = 0;
const OPEN: u64 = 1;
/// Half-open, or in somebody's hand.
const HALF_OPEN_OR_MANUAL: u64 = 2;
/// The state is that of a `static` that nobody has used yet.
const UNUSED: u64 = 3;
/// A success has something to write: failures in a row before it.
const HAS_FAILURES: u64 = 1 << 2;
/// A success has something to write: its place in the window.
const WINDOW: u64 = 1 << 4;
/// The duration of a call matters.
const TIMED: u64 = 1 << 3;
const PROBE_SHIFT: u32 = 8;
const GENERATION_SHIFT: u32 = 32;

const fn flags(settings: &Settings, failures: u32) -> u64 {
    let failures = if failures > 0 { HAS_FAILURES } else { 0 };
    let window = if settings.records() { WINDOW } else { 0 };
    let timed = if settings.slow_call.is_some() { TIMED } else { 0 };
    failures | window | timed
}

#[expect(clippy::cast_possible_truncation, reason = "the halves are what is wanted")]
const fn admitted(seen: u64) -> AdmittedCall {
    let probe = (seen >> PROBE_SHIFT) as u32 & PROBES;
    AdmittedCall { generation: (seen >> GENERATION_SHIFT) as u32, probe }
}

impl CircuitBreaker {
    /// Lets a call through, or turns it away at once.
    ///
    /// # Errors
    /// [`Rejected`], with the time after which a probe may go, where it is open.
    #[inline]
    pub fn try_acquire(&self) -> Result<CircuitGuard<'_>, Rejected> {
        let seen = self.word.load(Acquire);
        if seen & (STATE | TIMED) == CLOSED {
            return Ok(CircuitGuard { breaker: self, seen, started: None });
        }
        let (seen, started) = self.admit(seen)?;
        Ok(CircuitGuard { breaker: self, seen, started })
    }

    /// The same for the breaker of an annotated function that does not look for slow calls. It is
    /// listed when it is first used, and a test's stand-in is asked in its place.
    ///
    /// That no time is kept is known to the compiler here, which leaves the guard in two registers.
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

    /// The same for one that does.
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
            resolve(self)
        } else {
            self
        };
        let seen = if core::ptr::eq(breaker, self) { seen } else { breaker.word.load(Acquire) };
        let (seen, started) = breaker.admit(seen)?;
        Ok((breaker, seen, started))
    }

    /// Whether a success has nothing to write.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
    fn is_idle(&self) -> bool {
        self.word.load(Acquire) as u32 == 0
    }

    /// A success that has something to write: most often its place in the window.
    #[inline(never)]
    fn succeed(&self, seen: u64, started: Option<Timestamp>) {
        let word = self.word.load(Acquire);
        let counted = word & (STATE | HAS_FAILURES | WINDOW | TIMED) == CLOSED | WINDOW
            && self.cursor.succeed(admitted(seen).generation, self.settings.span);
        if !counted {
            self.succeed_slow(seen, started, word);
        }
    }

    #[cold]
    fn succeed_slow(&self, seen: u64, started: Option<Timestamp>, word: u64) {
        let in_time = || match (started, self.settings.slow_call) {
            (Some(started), Some(limit)) => clock::now().since(started) <= limit,
            _ => true,
        };
        let counted = word & (STATE | HAS_FAILURES | WINDOW | TIMED) == CLOSED | WINDOW | TIMED
            && in_time()
            && self.cursor.succeed(admitted(seen).generation, self.settings.span);
        if !counted {
            self.settle(seen, CallOutcome::Success, started);
        }
    }

    #[cold]
    #[inline(never)]
    fn admit(&self, seen: u64) -> Result<(u64, Option<Timestamp>), Rejected> {
        let now = clock::now();
        let timed = self.settings.slow_call.map(|_| now);
        if seen & STATE == CLOSED {
            return Ok((seen, timed));
        }
        if !switch::is_enabled() {
            return Ok((seen, None));
        }
        if seen & STATE == OPEN {
            let until = Timestamp::from_nanos(self.until.load(Relaxed));
            if now < until {
                return Err(self.rejection(Some(until.since(now))));
            }
        }
        self.admit_by_machine(now).map(|seen| (seen, timed))
    }

    /// Apart from what an open breaker says to most, which has no use for a frame of this size.
    #[cold]
    #[inline(never)]
    fn admit_by_machine(&self, now: Timestamp) -> Result<u64, Rejected> {
        match self.change(|machine| machine.admit(&self.settings, now)) {
            Ok(AdmittedCall { generation, probe }) => {
                let seen = u64::from(generation) << GENERATION_SHIFT;
                Ok(seen | u64::from(probe) << PROBE_SHIFT)
            }
            Err(after) => Err(self.rejection(after)),
        }
    }

    fn rejection(&self, after: Option<Duration>) -> Rejected {
        self.rejected.fetch_add(1, Relaxed);
        Rejected::new(RejectedKind::CircuitOpen, self.name_or_default(), after)
    }

    #[inline(never)]
    fn settle(&self, seen: u64, outcome: CallOutcome, started: Option<Timestamp>) {
        if switch::is_enabled() {
            let took = started.map(|started| clock::now().since(started));
            self.change(|machine| {
                let admitted = admitted(seen);
                machine.settle(&self.settings, &self.cursor, admitted, outcome, took, clock::now);
            });
        }
    }

    /// A guard was dropped without a word.
    #[cold]
    #[inline(never)]
    fn cancel(&self, seen: u64, started: Option<Timestamp>) {
        let failed = self.settings.on_cancel == OnCancel::Failure || std::thread::panicking();
        self.settle(
            seen,
            if failed { CallOutcome::Failure } else { CallOutcome::Neutral },
            started,
        );
    }

    /// Changes the machine, publishes what the fast paths see of it, and tells of a new state when
    /// the lock is expired.
    fn change<T>(&self, change: impl FnOnce(&mut Machine) -> T) -> T {
        let mut machine = lock(&self.machine);
        let (from, generation) = (machine.state, machine.generation);
        let result = change(&mut machine);
        if machine.generation != generation {
            match machine.state {
                // What led to the opening stays in view.
                CircuitState::Open => self.cursor.retain(machine.generation),
                _ => self.cursor.reset(machine.generation),
            }
            if !matches!(machine.state, CircuitState::Open | CircuitState::ForcedOpen) {
                self.rejected.store(0, Relaxed);
            }
        }
        if let Some(until) = machine.until {
            self.until.store(until.word(), Relaxed);
        }
        let state = match machine.state {
            CircuitState::Closed => CLOSED | flags(&self.settings, machine.consecutive_failures),
            CircuitState::Open => OPEN,
            _ => HALF_OPEN_OR_MANUAL,
        };
        // Where a test may have put a stand-in, nobody goes past the place that looks for it.
        let state =
            if self.listed && function_state::is_ever_overridden() { UNUSED } else { state };
        let word = u64::from(machine.generation) << GENERATION_SHIFT | state;
        // Written only where it differs: on a word that others read, a write is a cost to them.
        if self.word.load(Relaxed) != word {
            self.word.store(word, Release);
        }
        let (to, origin, until) = (machine.state, machine.origin, machine.until);
        drop(machine);
        if from != to {
            self.report_change(from, to, until, origin);
        }
        result
    }

    #[cold]
    #[inline(never)]
    fn report_change(
        &self,
        from: CircuitState,
        to: CircuitState,
        until: Option<Timestamp>,
        origin: Origin,
    ) {
        let (name, remote) = (self.name_or_default(), origin == Origin::Remote);
        let open_for = until.map(|until| until.since(clock::now()));
        log::state_change(name, &from, &to, open_for, remote);
        if self.settings.shared.is_some() && origin == Origin::LocalCalls {
            notify::notify();
            if to == CircuitState::Open && !notify::has_listener() {
                log::unsynchronized(name);
            }
        }
        if let Some(hook) = self.settings.on_state_change {
            hook(&StateChange { name, from, to, open_for, remote });
        }
    }
}
