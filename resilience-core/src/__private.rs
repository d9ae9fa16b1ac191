//! What generated code names, and nothing else may. Not covered by semantic versioning.

use core::fmt;
pub use core::option::Option::{None, Some};
pub use core::result::Result::{Err, Ok};
pub use core::time::Duration;

pub use crate::__logged as logged;
pub use crate::__told as told;
use crate::backoff::Backoff;
pub use crate::budget::{RetryBudget, Spending};
pub use crate::bulkhead::Bulkhead;
pub use crate::circuit_breaker::{CircuitBreaker, CircuitGuard};
use crate::classify::{Classify, FailureClass};
pub use crate::clock::{Delay, WaitMode};
use crate::event::{GiveUpEvent, RetryEvent};
pub use crate::fallback::{Answer, Ready, answer, fall_back, keep_outcome, match_all, recovered};
pub use crate::function_state::resolve;
pub use crate::jitter::Jitter;
pub use crate::keyed::Keyed;
pub use crate::log::{Level, Shown, give_up as log_give_up, retry as log_retry};
pub use crate::outcome::Outcome;
pub use crate::rate_limit::RateLimiter;
pub use crate::rejected::{FromRejected, Rejected, reject, reject_with};
pub use crate::rejection_signal::RejectionSignal;
pub use crate::retry::{CallContext, RetryPolicy, RetryState};
pub use crate::timeout::{Timeout, timeout};

/// The meaning of an error for a function without `on`: its own where it has one, else transient.
///
/// The inherent method wins over the trait's wherever the error is `Classify`.
#[derive(Debug)]
pub struct Probe<'e, E>(pub &'e E);

impl<E: Classify> Probe<'_, E> {
    /// The error's own meaning.
    #[inline]
    #[must_use]
    pub fn class(&self) -> FailureClass {
        self.0.classify()
    }
}

/// The meaning of an error that has none of its own.
pub trait Unclassified {
    /// Transient.
    #[inline]
    fn class(&self) -> FailureClass {
        FailureClass::transient()
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

/// Runs a body that runs once. A call of its own, so that the compiler knows the closure to be
/// `FnOnce` from the start.
#[inline]
pub fn once<O>(body: impl FnOnce() -> O) -> O {
    body()
}

/// The window of a breaker, by a constant that is a number of calls or a time.
#[derive(Clone, Copy, Debug)]
pub struct Window<T>(pub T);

#[cfg(not(resilience_loom))]
impl Window<u32> {
    /// The breaker with this window.
    #[track_caller]
    #[must_use]
    pub const fn windowed(self, breaker: CircuitBreaker) -> CircuitBreaker {
        breaker.count_window(check::window(self.0))
    }
}

#[cfg(not(resilience_loom))]
impl Window<Duration> {
    /// The breaker with this window.
    #[track_caller]
    #[must_use]
    pub const fn windowed(self, breaker: CircuitBreaker) -> CircuitBreaker {
        breaker.time_window(check::window_time(self.0))
    }
}

/// A policy that is reached through what the body may change: a clone of the handle is held instead.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be held while the function changes what it is in",
    label = "not a handle that can be cloned",
    note = "keep it in an `Arc`, of which a clone is held for the call, or take `&self`"
)]
pub trait Handle<P>: Clone + AsRef<P> {}

#[diagnostic::do_not_recommend]
impl<H: Clone + AsRef<P>, P> Handle<P> for H {}

/// Holds a policy for one call.
#[inline]
#[must_use]
pub fn clone_handle<H: Handle<P>, P>(handle: &H) -> H {
    handle.clone()
}

/// The meaning that the predicate `on` gives to an error.
#[inline]
pub fn class_of<E, C: Into<FailureClass>>(error: &E, on: impl FnOnce(&E) -> C) -> FailureClass {
    on(error).into()
}

/// A value that is never made, for a place that is never reached. By its name the macros know a body
/// that one of them has been around.
#[must_use]
#[expect(clippy::empty_loop, reason = "nobody comes here, and the library does not panic")]
pub fn resilience_never<T>() -> T {
    loop {}
}

/// The `on_ok` of a function without one: every value is final.
#[inline]
#[must_use]
pub fn never_retry<T>(_: &T) -> bool {
    false
}

/// A field that holds the delay which the other side asked for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no delay",
    label = "needs `Duration` or `Option<Duration>`"
)]
pub trait RetryDelay {
    /// The delay.
    fn retry_delay(&self) -> Option<Duration>;
}

impl RetryDelay for Duration {
    fn retry_delay(&self) -> Option<Duration> {
        Some(*self)
    }
}

impl RetryDelay for Option<Duration> {
    fn retry_delay(&self) -> Option<Duration> {
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
pub struct BorrowedBackoff<'b>(pub &'b dyn Backoff);

impl fmt::Debug for BorrowedBackoff<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BorrowedBackoff").finish_non_exhaustive()
    }
}

impl Backoff for BorrowedBackoff<'_> {
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
/// constants only. Each returns its value, so that it can stand around it, or is a statement about two;
/// a broken rule is reported at the caller, which is the user's token.
pub mod check {
    use core::time::Duration;

    use crate::jitter::Jitter;
    use resilience_rules::InvalidPolicy;

    mod rules {
        pub(super) use resilience_rules::bulkhead::*;
        pub(super) use resilience_rules::circuit_breaker::*;
        pub(super) use resilience_rules::rate_limit::*;
        pub(super) use resilience_rules::retry::*;
    }

    #[track_caller]
    pub(crate) const fn hold(rule: Result<(), InvalidPolicy>) {
        if let Err(broken) = rule {
            panic!("{}", broken.message());
        }
    }

    /// The rule of this name.
    #[track_caller]
    #[must_use]
    pub const fn jitter(jitter: Jitter) -> Jitter {
        hold(rules::jitter(jitter.ratio()));
        jitter
    }

    macro_rules! checks {
        ($($name:ident: $ty:ty),* $(,)?; $($pair:ident: $first:ty, $second:ty);* $(;)?) => {
            $(
                /// The rule of this name.
                #[track_caller]
                #[must_use]
                pub const fn $name(value: $ty) -> $ty {
                    hold(rules::$name(value));
                    value
                }
            )*
            $(
                /// The rule of this name.
                #[track_caller]
                pub const fn $pair(first: $first, second: $second) {
                    hold(rules::$pair(first, second));
                }
            )*
        };
    }

    checks! {
        attempts: u32,
        burst: u32,
        deadline: Duration,
        factor: f64,
        failure_rate: f64,
        failure_threshold: u32,
        max: u32,
        per: Duration,
        rate: u32,
        reset_timeout: Duration,
        slow_rate: f64,
        success_threshold: u32,
        window: u32,
        window_time: Duration;
        base_within_deadline: Duration, Duration;
        base_within_max: Duration, Duration;
        min_calls_within_window: u32, u32;
        probes_suffice: u32, u32;
        queue_and_wait: u32, Duration;
        reset_within_max: Duration, Duration;
        threshold_within_window: u32, u32;
    }
}
