//! The configuration of a retry.

use core::time::Duration;

use crate::__private::BorrowedBackoff;
use crate::backoff::{Backoff, Schedule};
use crate::budget::RetryBudget;
use crate::classify::{FailureClass, FailureKind};
use crate::clock::WaitMode;
use crate::jitter::{self, Jitter};
use crate::random;
use resilience_rules::{InvalidPolicy, retry as rules};

/// How often, how long and at what distance a call is repeated.
///
/// Built by `const fn`, so that one can stand in a `static`; its default is three attempts with
/// exponential backoff from 100 ms up to 10 s under full jitter. Any value is accepted and no input
/// panics: what makes no sense is read as the nearest thing that does, and
/// [`validate`](Self::validate) says so. `B` is the [`Backoff`].
///
/// ```
/// # extern crate resilience_core as resilience;
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
#[must_use = "a policy does nothing until something is run under it"]
pub struct RetryPolicy<B = Schedule> {
    pub(super) limits: Limits,
    pub(super) backoff: B,
}

/// What does not depend on the kind of backoff.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) attempts: Option<u32>,
    pub(super) max_delay: Option<Duration>,
    pub(super) jitter: Option<Jitter>,
    pub(super) deadline: Option<Duration>,
    pub(super) max_retry_after: Duration,
    pub(super) idempotent: bool,
    /// Whether the call can be made a second time at all; a function always can.
    pub(super) replayable: bool,
    pub(super) budget: Option<&'static RetryBudget>,
    pub(super) waits_for_rejections: bool,
    pub(super) name: Option<&'static str>,
    /// How the call waits; generated code and `run` say it.
    pub(super) waits: WaitMode,
}

impl RetryPolicy {
    /// Three attempts, exponential backoff from 100 ms up to 10 s under full jitter, no deadline.
    pub const fn new() -> Self {
        Self {
            limits: Limits {
                attempts: Some(rules::ATTEMPTS),
                max_delay: None,
                jitter: None,
                deadline: None,
                max_retry_after: rules::MAX_RETRY_AFTER,
                idempotent: true,
                replayable: true,
                budget: None,
                waits_for_rejections: false,
                name: None,
                waits: WaitMode::Blocking,
            },
            backoff: Schedule::new(),
        }
    }

    /// Delays of `base * factor^(n-1)` before retry `n`. The default.
    pub const fn exponential(mut self) -> Self {
        self.backoff = self.backoff.exponential();
        self
    }

    /// The same delay, `base`, each time. Its default jitter is none.
    pub const fn fixed(mut self) -> Self {
        self.backoff = self.backoff.fixed();
        self
    }

    /// Delays of `base * n` before retry `n`.
    pub const fn linear(mut self) -> Self {
        self.backoff = self.backoff.linear();
        self
    }

    /// Delays of `base` times 1, 1, 2, 3, 5, …
    pub const fn fibonacci(mut self) -> Self {
        self.backoff = self.backoff.fibonacci();
        self
    }

    /// These delays; the last repeats. They are their own ceiling unless `max_delay` is set.
    pub const fn list(mut self, delays: &'static [Duration]) -> Self {
        self.backoff = self.backoff.list(delays);
        self
    }

    /// The first delay. Default: 100 ms.
    pub const fn base_delay(mut self, base_delay: Duration) -> Self {
        self.backoff = self.backoff.base_delay(base_delay);
        self
    }

    /// The growth of exponential delays. Default: 2. Below 1, or not a number, counts as 1.
    pub const fn factor(mut self, factor: f64) -> Self {
        self.backoff = self.backoff.factor(factor);
        self
    }

    /// Delays of your own, in place of the built-in ones.
    pub fn backoff<C: Backoff>(self, backoff: C) -> RetryPolicy<C> {
        RetryPolicy { limits: self.limits, backoff }
    }

    /// The first rule that the numbers and times of this policy break: for settings that come from a
    /// file. The attribute holds its constants to the same rules at compile time.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use resilience::RetryPolicy;
    ///
    /// assert!(RetryPolicy::new().attempts(4).validate().is_ok());
    /// let error = RetryPolicy::new().attempts(0).validate().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "`attempts` must be at least 1: the first call counts as an attempt",
    /// );
    /// ```
    ///
    /// # Errors
    /// [`InvalidPolicy`]: zero attempts or deadline, a factor below 1 or not finite, a jitter ratio
    /// outside 0 to 1, an empty list, a base delay that is set above the ceiling or not below the
    /// deadline.
    pub const fn validate(&self) -> Result<(), InvalidPolicy> {
        macro_rules! hold {
            ($($rule:expr),* $(,)?) => { $(if let Err(broken) = $rule { return Err(broken); })* };
        }
        hold!(rules::factor(self.backoff.growth_factor()));
        if let Some(attempts) = self.limits.attempts {
            hold!(rules::attempts(attempts));
        }
        if let Some(jitter) = self.limits.jitter {
            hold!(rules::jitter(jitter.ratio()));
        }
        if let Some(delays) = self.backoff.delays() {
            hold!(rules::delays(delays));
        }
        if let Some(deadline) = self.limits.deadline {
            hold!(rules::deadline(deadline));
        }
        if let (Some(base), None) = (self.backoff.base(), self.backoff.delays()) {
            if let Some(max) = self.limits.max_delay {
                hold!(rules::base_within_max(base, max));
            }
            if let Some(deadline) = self.limits.deadline {
                hold!(rules::base_within_deadline(base, deadline));
            }
        }
        Ok(())
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// Settings that do not depend on the backoff.
impl<B> RetryPolicy<B> {
    /// How many calls are made in all, the first one included. Default: 3. Zero counts as 1: the
    /// first call is always made.
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.limits.attempts = Some(attempts);
        self
    }

    /// No limit to the number of calls: for loops that must never give up, such as reconnecting.
    pub const fn unlimited(mut self) -> Self {
        self.limits.attempts = None;
        self
    }

    /// The ceiling of every delay, jitter included; only a server's own delay may be longer.
    /// Default: 10 s, or the base delay where that is longer; none for a list or a backoff of your
    /// own.
    pub const fn max_delay(mut self, max_delay: Duration) -> Self {
        self.limits.max_delay = Some(max_delay);
        self
    }

    /// How delays are spread. Default: [`Jitter::Full`]; for fixed delays [`Jitter::None`].
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.limits.jitter = Some(jitter);
        self
    }

    /// The time from the call after which no attempt starts and no wait ends. A running attempt is
    /// left to finish. Default: none.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.limits.deadline = Some(deadline);
        self
    }

    /// The longest wait that a server may ask for; one above it ends the call. Default: 60 s.
    pub const fn max_retry_after(mut self, max_retry_after: Duration) -> Self {
        self.limits.max_retry_after = max_retry_after;
        self
    }

    /// Whether the call may safely be applied twice. Default: `true`. With `false`, only what was
    /// certainly not applied is repeated; see [`Effect`](crate::Effect).
    pub const fn idempotent(mut self, idempotent: bool) -> Self {
        self.limits.idempotent = idempotent;
        self
    }

    /// The budget that retries under this policy draw on. Default: none.
    pub const fn budget(mut self, budget: &'static RetryBudget) -> Self {
        self.limits.budget = Some(budget);
        self
    }

    /// Whether a local rejection (an open circuit, a full bulkhead, a rate limit) is waited for, as
    /// long as it says, within all limits. Default: `false`; the call gives up at once.
    pub const fn wait_for_rejections(mut self, wait: bool) -> Self {
        self.limits.waits_for_rejections = wait;
        self
    }

    /// The name in events and logs. Default: `"retry"`.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.limits.name = Some(name);
        self
    }
}

/// What generated code and layers add.
#[doc(hidden)]
impl<B> RetryPolicy<B> {
    /// Whether there is something to make another attempt with.
    pub const fn replayable(mut self, replayable: bool) -> Self {
        self.limits.replayable = replayable;
        self
    }

    /// The policy at its place: under this name, unless it has one, and waiting like this.
    pub const fn at(mut self, name: &'static str, waits: WaitMode) -> Self {
        if self.limits.name.is_none() {
            self.limits.name = Some(name);
        }
        self.limits.waits = waits;
        self
    }

    /// The policy with its backoff borrowed.
    pub fn lent(&self) -> RetryPolicy<BorrowedBackoff<'_>>
    where
        B: Backoff,
    {
        RetryPolicy { limits: self.limits, backoff: BorrowedBackoff(&self.backoff) }
    }
}

impl<B: Backoff> RetryPolicy<B> {
    /// The delay before retry number `retry` (1 is the first), drawn as a call would draw it.
    /// `previous` is what was waited before it; only [`Jitter::Decorrelated`] looks at it.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
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
    /// The delay that the policy itself chooses.
    pub(super) fn delay(
        &self,
        backoff: &dyn Backoff,
        class: FailureClass,
        retry: u32,
        previous: Option<Duration>,
    ) -> Duration {
        let nominal = |retry| match class.kind {
            FailureKind::Throttled => backoff.throttled_delay(retry),
            _ => backoff.delay(retry),
        };
        let max = self.max_delay.unwrap_or_else(|| backoff.default_max_delay());
        match self.jitter.unwrap_or_else(|| backoff.default_jitter()) {
            Jitter::None => nominal(retry).min(max),
            Jitter::Decorrelated => {
                let base = nominal(1);
                jitter::decorrelated(base, previous.unwrap_or(base), max, random::draw())
            }
            kind => kind.spread(nominal(retry).min(max), max, random::draw()),
        }
    }
}
