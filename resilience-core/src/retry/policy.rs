//! The configuration of a retry.

use core::panic::Location;
use core::time::Duration;

use crate::backoff::{Backoff, BorrowedBackoff, Schedule};
use crate::budget::RetryBudget;
use crate::classify::{FailureClass, FailureKind};
use crate::clock::WaitMode;
use crate::const_check::ensure;
use crate::context::current::Setter;
use crate::context::nesting::Nested;
use crate::jitter::{self, Jitter};
use crate::log::Level;
use crate::random;
use crate::registry::PolicyKind;
use resilience_rules::{InvalidPolicy, retry as rules};

/// The number of attempts, the delays between attempts, and the conditions for a retry.
///
/// Built by `const fn`, so a policy can be a `static`. Default: three attempts with exponential
/// backoff from 100 ms up to 10 s under full jitter. Every value is accepted without a panic: an
/// invalid value is replaced by the nearest valid value, and [`validate`](Self::validate) reports
/// the mistake. `B` is the [`Backoff`].
///
/// ```
/// use core::time::Duration;
/// use resilience::RetryPolicy;
///
/// static RETRY: RetryPolicy = RetryPolicy::new()
///     .attempts(4)
///     .base_delay(Duration::from_millis(1))
///     .deadline(Duration::from_secs(30));
///
/// let mut calls = 0;
/// let result: Result<u32, &str> = RETRY.run(|| {
///     calls += 1;
///     if calls < 3 { Err("not yet") } else { Ok(calls) }
/// });
/// assert_eq!(result, Ok(3));
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a policy does nothing until `run` or `run_async`"]
pub struct RetryPolicy<B = Schedule> {
    pub(super) limits: Limits,
    pub(super) backoff: B,
}

/// The largest number of retries whose delays are computed for an explanation.
const MOST_DELAYS: u32 = 1000;

/// The name of a policy by hand without a name.
pub(super) const DEFAULT_NAME: &str = PolicyKind::Retry.as_str();

/// The settings apart from the backoff.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent settings")]
pub(super) struct Limits {
    pub(super) attempts: Option<u32>,
    pub(super) initial_delay: Option<Duration>,
    pub(super) max_delay: Option<Duration>,
    pub(super) jitter: Option<Jitter>,
    pub(super) deadline: Option<Duration>,
    pub(super) max_retry_after: Duration,
    pub(super) idempotent: bool,
    /// Whether a second attempt is possible at all; always true for functions.
    pub(super) replayable: bool,
    pub(super) budget: Option<&'static RetryBudget>,
    pub(super) waits_for_rejections: bool,
    /// False where a setting switches the retry off.
    pub(super) enabled: bool,
    pub(super) nested: Nested,
    pub(super) name: Option<&'static str>,
    pub(super) retry_level: Level,
    pub(super) give_up_level: Level,
    /// The level of a success after a retry.
    pub(super) recovery_level: Level,
    /// The place in the source code that made the policy.
    pub(super) location: &'static Location<'static>,
    /// The function that retries, for a deadline of the same function.
    pub(super) function: Option<&'static Location<'static>>,
    /// The number of layers outside, in an annotated function.
    pub(super) depth: u8,
    /// How the call waits; set by generated code and `run`.
    pub(super) waits: WaitMode,
}

impl RetryPolicy {
    /// Creates a policy with three attempts, exponential backoff from 100 ms up to 10 s under full
    /// jitter, and no deadline.
    #[track_caller]
    pub const fn new() -> Self {
        Self {
            limits: Limits {
                attempts: Some(rules::ATTEMPTS),
                initial_delay: None,
                max_delay: None,
                jitter: None,
                deadline: None,
                max_retry_after: rules::MAX_RETRY_AFTER,
                idempotent: true,
                replayable: true,
                budget: None,
                waits_for_rejections: false,
                enabled: true,
                nested: Nested::Multiply,
                name: None,
                retry_level: Level::Warn,
                give_up_level: Level::Error,
                recovery_level: Level::Info,
                location: Location::caller(),
                function: None,
                depth: 0,
                waits: WaitMode::Blocking,
            },
            backoff: Schedule::new(),
        }
    }

    /// Sets delays of `base * factor^(n-1)` before retry `n`. The default.
    pub const fn exponential(mut self) -> Self {
        self.backoff = self.backoff.exponential();
        self
    }

    /// Sets a constant delay, `base`. The default jitter is then [`Jitter::None`].
    pub const fn fixed(mut self) -> Self {
        self.backoff = self.backoff.fixed();
        self
    }

    /// Sets delays of `base * n` before retry `n`.
    pub const fn linear(mut self) -> Self {
        self.backoff = self.backoff.linear();
        self
    }

    /// Sets delays of `base` times 1, 1, 2, 3, 5, …
    pub const fn fibonacci(mut self) -> Self {
        self.backoff = self.backoff.fibonacci();
        self
    }

    /// Sets a list of delays; the last repeats. The list has no ceiling unless `max_delay` is set.
    pub const fn list(mut self, delays: &'static [Duration]) -> Self {
        self.backoff = self.backoff.list(delays);
        self
    }

    /// Sets the first delay. Default: 100 ms.
    pub const fn base_delay(mut self, base_delay: Duration) -> Self {
        self.backoff = self.backoff.base_delay(base_delay);
        self
    }

    /// Sets the growth factor of exponential delays. Default: 2. A factor below 1, or not a
    /// number, counts as 1.
    pub const fn factor(mut self, factor: f64) -> Self {
        self.backoff = self.backoff.factor(factor);
        self
    }

    /// Replaces the built-in delays by your own backoff.
    pub fn backoff<C: Backoff>(self, backoff: C) -> RetryPolicy<C> {
        RetryPolicy { limits: self.limits, backoff }
    }

    /// Returns the first rule that the numbers and times of this policy break. Use it for settings
    /// from a file; the attribute checks constants against the same rules at compile time.
    ///
    /// ```
    /// use resilience::RetryPolicy;
    ///
    /// assert!(RetryPolicy::new().attempts(4).validate().is_ok());
    /// let error = RetryPolicy::new().attempts(0).validate().unwrap_err();
    /// assert!(error.to_string().contains("`attempts`"));
    /// ```
    ///
    /// # Errors
    /// [`InvalidPolicy`]: zero attempts or deadline, a factor below 1 or not finite, a jitter
    /// ratio outside 0 to 1, a budget ratio outside 0 to 1 or of 0, an empty list, a base delay (or
    /// its sum with the jitter on top) above the ceiling, an initial or base delay not below the
    /// deadline, a blank name or a name with `*`.
    pub const fn validate(&self) -> Result<(), InvalidPolicy> {
        ensure!(crate::name::validate(self.limits.name));
        ensure!(rules::factor(self.backoff.growth_factor()));
        ensure!(self.limits.validate());
        if let Some(delays) = self.backoff.delays() {
            ensure!(rules::delays(delays));
        }
        if let (Some(base), None) = (self.backoff.base(), self.backoff.delays()) {
            if let Some(max) = self.limits.max_delay {
                ensure!(rules::base_within_max(base, max));
                if let Some(jitter) = self.limits.jitter {
                    ensure!(rules::jitter_within_max(base, jitter.width(base), max));
                }
            }
            if let Some(deadline) = self.limits.deadline {
                ensure!(rules::base_within_deadline(base, deadline));
            }
        }
        Ok(())
    }
}

impl Default for RetryPolicy {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

/// Settings apart from the backoff.
impl<B> RetryPolicy<B> {
    /// Sets the number of attempts, the first included. Default: 3. Zero counts as 1: the first
    /// attempt is always made.
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.limits.attempts = Some(attempts);
        self
    }

    /// Removes the limit of attempts. For loops that must never give up, such as reconnecting.
    pub const fn unlimited(mut self) -> Self {
        self.limits.attempts = None;
        self
    }

    /// Sets the delay before the first attempt, for an operation that is never done at once, such
    /// as a job on a server. The delay is exact, without jitter, and counts against the
    /// [`deadline`](Self::deadline). Default: none, the first attempt starts at once.
    ///
    /// A delay that is not shorter than the time until the deadline, or until the deadline or
    /// `#[timeout]` of a caller, is left out: an attempt at once may succeed, and no attempt starts
    /// after a deadline.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::{RetryPolicy, testing};
    ///
    /// static POLL: RetryPolicy = RetryPolicy::new().initial_delay(Duration::from_secs(2));
    ///
    /// let clock = testing::clock();
    /// assert_eq!(POLL.run(|| Some("ready")), Some("ready"));
    /// assert_eq!(clock.elapsed(), Duration::from_secs(2)); // virtual time
    /// ```
    pub const fn initial_delay(mut self, initial_delay: Duration) -> Self {
        self.limits.initial_delay = Some(initial_delay);
        self
    }

    /// Sets the ceiling of every delay, jitter included; only a delay from the server may be
    /// longer. Default: 10 s, or the base delay with the jitter on top if longer; no ceiling for a
    /// list or your own backoff.
    pub const fn max_delay(mut self, max_delay: Duration) -> Self {
        self.limits.max_delay = Some(max_delay);
        self
    }

    /// Sets the jitter. Default: [`Jitter::Full`]; for fixed delays [`Jitter::None`].
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.limits.jitter = Some(jitter);
        self
    }

    /// Sets the time from the call after which no attempt starts and no wait ends. A running
    /// attempt is not interrupted. Default: no deadline.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.limits.deadline = Some(deadline);
        self
    }

    /// Sets the longest delay that a server may ask for. A longer delay ends the call. Default: 60
    /// s.
    pub const fn max_retry_after(mut self, max_retry_after: Duration) -> Self {
        self.limits.max_retry_after = max_retry_after;
        self
    }

    /// Sets whether the call is safe to apply twice. Default: `true`. With `false`, a failure is
    /// retried only if the side effect was certainly not applied; see [`Effect`](crate::Effect).
    pub const fn idempotent(mut self, idempotent: bool) -> Self {
        self.limits.idempotent = idempotent;
        self
    }

    /// Sets the budget for the retries of this policy. Default: no budget.
    pub const fn budget(mut self, budget: &'static RetryBudget) -> Self {
        self.limits.budget = Some(budget);
        self
    }

    /// Sets whether the call waits after a local rejection (an open circuit, a full bulkhead, a
    /// rate limit) for the time that the rejection states. Default: `false`; the call gives up at
    /// once.
    ///
    /// A rejected attempt was not made: a wait uses up neither an attempt nor the budget. A random
    /// addition keeps the waiting callers apart. The waits of a call end at the
    /// [`deadline`](Self::deadline), and in any case after [`attempts`](Self::attempts) times
    /// [`max_retry_after`](Self::max_retry_after), three minutes by default.
    pub const fn wait_for_rejections(mut self, wait: bool) -> Self {
        self.limits.waits_for_rejections = wait;
        self
    }

    /// Sets the effect on the retries of functions inside, and inside another retry. Default:
    /// [`Nested::Multiply`].
    pub const fn nested(mut self, nested: Nested) -> Self {
        self.limits.nested = nested;
        self
    }

    /// Sets the name in events and logs. Default: `"retry"`.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.limits.name = Some(name);
        self
    }

    /// Sets a name made at run time. The process stores each different name once and never frees
    /// the name, at most 10 000 names; further names become `"(other)"`. For names from a
    /// configuration, not for names from requests.
    pub fn named(self, name: impl AsRef<str>) -> Self {
        self.name(crate::name::intern(name.as_ref()))
    }
}

/// Methods for generated code and layers.
#[doc(hidden)]
impl<B> RetryPolicy<B> {
    /// Sets whether another attempt is possible.
    pub const fn replayable(mut self, replayable: bool) -> Self {
        self.limits.replayable = replayable;
        self
    }

    /// Sets the name, unless a name is set, how the call waits, and the function that calls.
    #[track_caller]
    pub const fn at(mut self, name: &'static str, waits: WaitMode) -> Self {
        if self.limits.name.is_none() {
            self.limits.name = Some(name);
        }
        self.limits.waits = waits;
        self.limits.function = Some(Location::caller());
        self
    }

    /// Sets the levels of events in the log.
    pub const fn levels(mut self, retry: Level, give_up: Level) -> Self {
        self.limits.retry_level = retry;
        self.limits.give_up_level = give_up;
        self.limits.recovery_level = match retry {
            Level::Error | Level::Warn | Level::Info => Level::Info,
            level => level,
        };
        self
    }

    /// Returns the setter of the context of an attempt. `name` is the name of the function.
    #[inline]
    #[must_use]
    pub fn setter(&self, name: &'static str) -> Setter {
        Setter::new(
            self.limits.name.unwrap_or(name),
            matches!(self.limits.nested, Nested::OuterOnly),
        )
    }

    /// Sets the number of layers outside, for an annotated function.
    pub const fn depth(mut self, depth: u8) -> Self {
        self.limits.depth = depth;
        self
    }

    /// Returns the policy with a borrowed backoff.
    pub fn borrowed(&self) -> RetryPolicy<BorrowedBackoff<'_>>
    where
        B: Backoff,
    {
        RetryPolicy { limits: self.limits, backoff: BorrowedBackoff(&self.backoff) }
    }
}

impl<B: Backoff> RetryPolicy<B> {
    /// Returns the delay before retry number `retry` (1 is the first), with jitter as in a call.
    /// Only [`Jitter::Decorrelated`] uses `previous`, the delay before.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::{Jitter, RetryPolicy};
    ///
    /// let policy = RetryPolicy::new().jitter(Jitter::None);
    /// assert_eq!(policy.delay(1, None), Duration::from_millis(100));
    /// assert_eq!(policy.delay(3, None), Duration::from_millis(400));
    /// assert_eq!(policy.delay(u32::MAX, None), Duration::from_secs(10));
    /// ```
    #[must_use]
    pub fn delay(&self, retry: u32, previous: Option<Duration>) -> Duration {
        self.limits.delay(&self.backoff, FailureClass::transient(), retry, previous)
    }
}

impl Limits {
    /// Checks the settings that need no backoff.
    pub(super) const fn validate(&self) -> Result<(), InvalidPolicy> {
        if let Some(attempts) = self.attempts {
            ensure!(rules::attempts(attempts));
        }
        if let Some(jitter) = self.jitter {
            ensure!(rules::jitter(jitter.ratio()));
        }
        if let Some(budget) = self.budget {
            ensure!(budget.validate());
        }
        if let Some(deadline) = self.deadline {
            ensure!(rules::deadline(deadline));
            if let Some(initial) = self.initial_delay {
                ensure!(rules::initial_within_deadline(initial, deadline));
            }
        }
        Ok(())
    }

    /// Returns the limit of attempts; `None` is unlimited. The first attempt is always made.
    pub(super) fn attempts(&self) -> Option<u32> {
        self.attempts.map(|attempts| attempts.max(1))
    }

    /// Returns the longest time from the first failure in which a call waits for rejections;
    /// `None` with unlimited attempts.
    pub(super) fn longest_wait_for_rejections(&self) -> Option<Duration> {
        self.attempts().map(|attempts| self.max_retry_after.saturating_mul(attempts))
    }

    /// Returns the delay that the policy chooses.
    pub(super) fn delay(
        &self,
        backoff: &dyn Backoff,
        class: FailureClass,
        retry: u32,
        previous: Option<Duration>,
    ) -> Duration {
        self.delay_by(backoff, class, retry, previous, random::draw)
    }

    /// Returns the longest delays of a call, as long as they grow; the last repeats. Delays that
    /// grow for longer than [`MOST_DELAYS`] retries end with their ceiling.
    pub(super) fn longest_delays(&self, schedule: &Schedule) -> Vec<Duration> {
        let retries = self.attempts().map_or(MOST_DELAYS, |attempts| attempts - 1);
        let listed = schedule.delays().map(<[Duration]>::len);
        let mut delays = Vec::new();
        let mut previous = None;
        for retry in 1..=retries.min(MOST_DELAYS) {
            let class = FailureClass::transient();
            let delay = self.delay_by(schedule, class, retry, previous, || 1.0);
            let repeats = match listed {
                Some(listed) => delays.len() >= listed,
                None => retry > 2 && previous == Some(delay),
            };
            if repeats {
                return delays;
            }
            delays.push(delay);
            previous = Some(delay);
        }
        if retries > MOST_DELAYS {
            delays.push(self.max_delay.unwrap_or_else(|| schedule.default_max_delay()));
        }
        delays
    }

    /// Returns the delay for the number that `draw` returns.
    fn delay_by(
        &self,
        backoff: &dyn Backoff,
        class: FailureClass,
        retry: u32,
        previous: Option<Duration>,
        draw: fn() -> f64,
    ) -> Duration {
        // A server that asks for no delay answers "now". The delays grow, and have a lower limit.
        let is_now = class.after.is_some_and(|after| after.is_zero());
        let nominal = |retry| match class.kind {
            FailureKind::Throttled if !is_now => backoff.throttled_delay(retry),
            _ => backoff.delay(retry),
        };
        let max = self.max_delay.unwrap_or_else(|| backoff.default_max_delay());
        let jitter = self.jitter.unwrap_or_else(|| backoff.default_jitter());
        match jitter {
            Jitter::None => nominal(retry).min(max),
            Jitter::Decorrelated => {
                let base = nominal(1);
                jitter::decorrelated(base, previous.unwrap_or(base), max, draw())
            }
            Jitter::Ratio(_) | Jitter::UpTo(_) => {
                let first = nominal(1);
                // Only an explicit ceiling limits the jitter on top of the first delay.
                let room = first.saturating_add(jitter.width(first));
                let max = self.max_delay.unwrap_or_else(|| max.max(room));
                jitter.spread(nominal(retry).min(max), first, max, draw())
            }
            kind => {
                let kind = if is_now && kind == Jitter::Full { Jitter::Equal } else { kind };
                kind.spread(nominal(retry).min(max), Duration::ZERO, max, draw())
            }
        }
    }
}
