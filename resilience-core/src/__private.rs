//! What generated code names, and nothing else may. Not covered by semantic versioning.

use core::fmt;
pub use core::option::Option::{None, Some};
pub use core::time::Duration;

pub use crate::__logged as logged;
use crate::backoff::Backoff;
pub use crate::budget::{RetryBudget, Spending};
pub use crate::bulkhead::Bulkhead;
use crate::classify::{Class, Classify};
pub use crate::clock::{Pause, Waits};
use crate::event::{GiveUpEvent, RetryEvent};
pub use crate::jitter::Jitter;
pub use crate::log::{Level, Shown, give_up as log_give_up, retry as log_retry};
pub use crate::outcome::Outcome;
pub use crate::own::own;
pub use crate::rate_limit::RateLimiter;
pub use crate::rejected::{FromRejected, Rejected};
pub use crate::retry::{RetryPolicy, RetryState, Under};

/// The meaning of an error for a function without `on`: its own where it has one, else transient.
///
/// The inherent method wins over the trait's wherever the error is `Classify`.
#[derive(Debug)]
pub struct Probe<'e, E>(pub &'e E);

impl<E: Classify> Probe<'_, E> {
    /// The error's own meaning.
    #[inline]
    #[must_use]
    pub fn class(&self) -> Class {
        self.0.classify()
    }
}

/// The meaning of an error that has none of its own.
pub trait Unclassified {
    /// Transient.
    #[inline]
    fn class(&self) -> Class {
        Class::transient()
    }
}

impl<E> Unclassified for Probe<'_, E> {}

impl<'e, E: fmt::Display> Probe<'e, E> {
    /// The error by its `Display`.
    #[must_use]
    pub fn shown(&self) -> Shown<'e> {
        Shown::Display(self.0)
    }
}

/// An error that has `Debug` only.
pub trait ShownByDebug<'e> {
    /// The error by its `Debug`.
    fn shown(&self) -> Shown<'e>;
}

impl<'e, E: fmt::Debug> ShownByDebug<'e> for Probe<'e, E> {
    fn shown(&self) -> Shown<'e> {
        Shown::Debug(self.0)
    }
}

/// An error that has neither: found last, because it asks for one more reference.
pub trait ShownByNothing {
    /// Nothing.
    fn shown(&self) -> Shown<'static> {
        Shown::Nothing
    }
}

impl<E> ShownByNothing for &Probe<'_, E> {}

/// The `on_ok` of a function without one: every value is final.
#[inline]
#[must_use]
pub fn accept<T>(_: &T) -> bool {
    false
}

/// A field that holds the delay which the other side asked for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no delay",
    label = "needs `Duration` or `Option<Duration>`"
)]
pub trait After {
    /// The delay.
    fn after(&self) -> Option<Duration>;
}

impl After for Duration {
    fn after(&self) -> Option<Duration> {
        Some(*self)
    }
}

impl After for Option<Duration> {
    fn after(&self) -> Option<Duration> {
        *self
    }
}

/// The `on_retry` of a function without one.
#[inline]
pub fn no_retry_hook<E>(_: &RetryEvent<'_, E>) {}

/// The `on_give_up` of a function without one.
#[inline]
pub fn no_give_up_hook<E>(_: &GiveUpEvent<'_, E>) {}

/// A backoff that lives in the annotated function.
#[derive(Clone, Copy)]
pub struct Lent<'b>(pub &'b dyn Backoff);

impl fmt::Debug for Lent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent").finish_non_exhaustive()
    }
}

impl Backoff for Lent<'_> {
    fn delay(&self, retry: u32) -> Duration {
        self.0.delay(retry)
    }

    fn throttled_delay(&self, retry: u32) -> Duration {
        self.0.throttled_delay(retry)
    }

    fn default_jitter(&self) -> Jitter {
        self.0.default_jitter()
    }

    fn default_max_delay(&self) -> Duration {
        self.0.default_max_delay()
    }
}

/// The rules of a configuration, asserted: at compile time, because generated code calls them in
/// constants only. Each returns its value, so that it can stand around it; a broken rule is reported
/// at the caller, which is the user's token.
pub mod check {
    use core::time::Duration;

    use crate::jitter::Jitter;
    use crate::rules::{self, InvalidPolicy};

    #[track_caller]
    const fn hold(rule: Result<(), InvalidPolicy>) {
        if let Err(broken) = rule {
            panic!("{}", broken.words());
        }
    }

    /// A number of attempts.
    #[track_caller]
    #[must_use]
    pub const fn attempts(attempts: u32) -> u32 {
        hold(rules::attempts(attempts));
        attempts
    }

    /// A growth factor.
    #[track_caller]
    #[must_use]
    pub const fn factor(factor: f64) -> f64 {
        hold(rules::factor(factor));
        factor
    }

    /// A jitter.
    #[track_caller]
    #[must_use]
    pub const fn jitter(jitter: Jitter) -> Jitter {
        hold(rules::jitter(jitter));
        jitter
    }

    /// A deadline.
    #[track_caller]
    #[must_use]
    pub const fn deadline(deadline: Duration) -> Duration {
        hold(rules::deadline(deadline));
        deadline
    }

    /// A number of calls at once.
    #[track_caller]
    #[must_use]
    pub const fn max(max: u32) -> u32 {
        hold(rules::max(max));
        max
    }

    /// A queue beside a limit to the wait in it.
    #[track_caller]
    pub const fn queue_and_wait(queue: u32, wait: Duration) {
        hold(rules::queue_and_wait(queue, wait));
    }

    /// A number of calls in a period.
    #[track_caller]
    #[must_use]
    pub const fn rate(rate: u32) -> u32 {
        hold(rules::rate(rate));
        rate
    }

    /// The period of a rate.
    #[track_caller]
    #[must_use]
    pub const fn per(per: Duration) -> Duration {
        hold(rules::per(per));
        per
    }

    /// A number of calls from rest.
    #[track_caller]
    #[must_use]
    pub const fn burst(burst: u32) -> u32 {
        hold(rules::burst(burst));
        burst
    }

    /// A first delay under a ceiling.
    #[track_caller]
    pub const fn base_within_max(base: Duration, max: Duration) {
        hold(rules::base_within_max(base, max));
    }

    /// A first delay under a deadline.
    #[track_caller]
    pub const fn base_within_deadline(base: Duration, deadline: Duration) {
        hold(rules::base_within_deadline(base, deadline));
    }
}
