//! What generated code names, and nothing else may. Not covered by semantic versioning.

pub use core::time::Duration;

use crate::backoff::Backoff;
use crate::classify::{Class, Classify};
pub use crate::clock::Pause;
use crate::event::{GiveUpEvent, RetryEvent};
pub use crate::jitter::Jitter;
pub use crate::outcome::Outcome;
pub use crate::retry::{RetryPolicy, RetryState, Terms};

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

/// The `on_ok` of a function without one: every value is final.
#[inline]
#[must_use]
pub fn accept<T>(_: &T) -> bool {
    false
}

/// The `on_retry` of a function without one.
#[inline]
pub fn no_retry_hook<E>(_: &RetryEvent<'_, E>) {}

/// The `on_give_up` of a function without one.
#[inline]
pub fn no_give_up_hook<E>(_: &GiveUpEvent<'_, E>) {}

/// A backoff that lives in the annotated function.
#[derive(Clone, Copy, Debug)]
pub struct Lent<'b, B>(pub &'b B);

impl<B: Backoff> Backoff for Lent<'_, B> {
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
/// constants only.
pub mod check {
    use core::time::Duration;

    use crate::jitter::Jitter;
    use crate::rules;

    macro_rules! checks {
        ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) $(-> $back:ident: $back_type:ty)?;)*) => {$(
            $(#[$doc])*
            pub const fn $name($($arg: $type),*) $(-> $back_type)? {
                if let Err(broken) = rules::$name($($arg),*) {
                    panic!("{}", broken.words());
                }
                $($back)?
            }
        )*};
    }

    checks! {
        /// The number, if it is a number of attempts.
        attempts(attempts: u32) -> attempts: u32;
        /// The number, if it is a growth factor.
        factor(factor: f64) -> factor: f64;
        /// The time, if a call can end in it.
        deadline(deadline: Duration) -> deadline: Duration;
        /// The jitter, if its ratio is one.
        jitter(jitter: Jitter) -> jitter: Jitter;
        /// Nothing, if the first delay is no longer than the longest.
        base_within_max(base: Duration, max: Duration);
        /// Nothing, if the first delay is shorter than the whole call.
        base_within_deadline(base: Duration, deadline: Duration);
    }
}
