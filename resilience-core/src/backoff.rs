//! Backoff: the delay before each retry, without jitter and ceiling.

use core::fmt;
use core::time::Duration;
use std::rc::Rc;
use std::sync::Arc;

use crate::duration::Exact;
use crate::jitter::Jitter;
use crate::registry::Setting;
use resilience_rules::retry::{BASE_DELAY, FACTOR, MAX_DELAY, THROTTLED_BASE_DELAY};

/// The delays between the attempts of a call.
///
/// Implemented by [`Schedule`], by closures `Fn(u32) -> Duration` from the number of the retry,
/// by lists, where the last delay repeats, by `Arc` and `Rc`, by `Box<dyn Backoff>`, and by
/// references to lists. Called after failures only.
///
/// ```
/// use core::time::Duration;
/// use resilience::{Backoff, Jitter, RetryPolicy};
///
/// struct Cubic(Duration);
///
/// impl Backoff for Cubic {
///     fn delay(&self, retry: u32) -> Duration {
///         self.0.saturating_mul(retry.saturating_pow(3))
///     }
/// }
///
/// let policy = RetryPolicy::new().jitter(Jitter::None).backoff(Cubic(Duration::from_millis(1)));
/// assert_eq!(policy.delay(4, None), Duration::from_millis(64));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a backoff",
    label = "needs `Backoff`",
    note = "write a closure that takes the number of the retry, `|retry| Duration::from_secs(retry.into())`, a list like `[\"100ms\", \"1s\"]`, or implement `resilience::Backoff` for `{Self}`"
)]
pub trait Backoff {
    /// Returns the delay before retry number `retry`; 1 is the first. A delay from the server
    /// restarts the count.
    ///
    /// The delay depends on `retry` alone: jitter asks for the first delay again, so a call may
    /// ask several times for one retry. A backoff that learns from failures changes its state in
    /// the predicate `on`, which runs once per failure.
    fn delay(&self, retry: u32) -> Duration;

    /// Returns the delay after a throttled failure without a server-given time. Default:
    /// [`delay`](Self::delay), but at least one second.
    #[doc(hidden)]
    fn throttled_delay(&self, retry: u32) -> Duration {
        self.delay(retry).max(THROTTLED_BASE_DELAY)
    }

    /// Returns the jitter for policies without a jitter. Default: [`Jitter::Full`].
    #[doc(hidden)]
    fn default_jitter(&self) -> Jitter {
        Jitter::Full
    }

    /// Returns the ceiling for policies without a ceiling. Default: no ceiling.
    #[doc(hidden)]
    fn default_max_delay(&self) -> Duration {
        Duration::MAX
    }

    /// Returns the built-in backoff, whose delays are known in advance.
    #[doc(hidden)]
    fn schedule(&self) -> Option<Schedule> {
        None
    }
}

impl<F: Fn(u32) -> Duration> Backoff for F {
    fn delay(&self, retry: u32) -> Duration {
        self(retry)
    }
}

impl Backoff for [Duration] {
    fn delay(&self, retry: u32) -> Duration {
        let last = self.len().saturating_sub(1);
        let index = usize::try_from(retry.saturating_sub(1)).unwrap_or(last);
        self.get(index.min(last)).copied().unwrap_or_default()
    }
}

impl<const N: usize> Backoff for [Duration; N] {
    fn delay(&self, retry: u32) -> Duration {
        self.as_slice().delay(retry)
    }
}

impl Backoff for Vec<Duration> {
    fn delay(&self, retry: u32) -> Duration {
        self.as_slice().delay(retry)
    }
}

/// Implements `Backoff` for pointers, by the target.
///
/// `&B` and `Box<B>` for every `B` would overlap with closures: a reference to a closure is a
/// closure. Therefore these two list their targets.
macro_rules! backoff_of_target {
    ($([$($parameter:tt)*] $pointer:ty),* $(,)?) => {
        $(
            impl<$($parameter)*> Backoff for $pointer {
                fn delay(&self, retry: u32) -> Duration {
                    (**self).delay(retry)
                }

                fn throttled_delay(&self, retry: u32) -> Duration {
                    (**self).throttled_delay(retry)
                }

                fn default_jitter(&self) -> Jitter {
                    (**self).default_jitter()
                }

                fn default_max_delay(&self) -> Duration {
                    (**self).default_max_delay()
                }

                fn schedule(&self) -> Option<Schedule> {
                    (**self).schedule()
                }
            }
        )*
    };
}

backoff_of_target!(
    [B: Backoff + ?Sized] Rc<B>,
    [B: Backoff + ?Sized] Arc<B>,
    [] &[Duration],
    [const N: usize] &[Duration; N],
    [] &Vec<Duration>,
    [] &Schedule,
    [] &(dyn Backoff + '_),
    [] &(dyn Backoff + Send + Sync + '_),
    [] Box<[Duration]>,
    [] Box<dyn Backoff + '_>,
    [] Box<dyn Backoff + Send + '_>,
    [] Box<dyn Backoff + Send + Sync + '_>,
);

/// Borrows the backoff of `backoff = expr` in generated code. Method resolution follows
/// references and smart pointers to the backoff. The method has a prefix: a blanket trait of the
/// user cannot have a method with the name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a backoff",
    label = "needs `Backoff`",
    note = "write a closure that takes the number of the retry, `|retry| Duration::from_secs(retry.into())`, a list like `[\"100ms\", \"1s\"]`, or implement `resilience::Backoff` for `{Self}`"
)]
pub trait BorrowBackoff {
    /// Returns the backoff.
    fn resilience_backoff(&self) -> BorrowedBackoff<'_>;
}

#[diagnostic::do_not_recommend]
impl<B: Backoff> BorrowBackoff for B {
    fn resilience_backoff(&self) -> BorrowedBackoff<'_> {
        BorrowedBackoff(self)
    }
}

/// Implements `BorrowBackoff` for trait objects.
macro_rules! borrow_trait_object {
    ($($object:ty),* $(,)?) => {
        $(
            impl BorrowBackoff for $object {
                fn resilience_backoff(&self) -> BorrowedBackoff<'_> {
                    BorrowedBackoff(self)
                }
            }
        )*
    };
}

borrow_trait_object!(
    dyn Backoff + '_,
    dyn Backoff + Send + '_,
    dyn Backoff + Sync + '_,
    dyn Backoff + Send + Sync + '_,
);

/// A borrowed backoff, for a policy that lives in the annotated function.
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

    fn schedule(&self) -> Option<Schedule> {
        self.0.schedule()
    }
}

/// The growth of the delays with the number `n` of the retry.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Growth {
    /// `base * factor^(n-1)`
    Exponential,
    /// `base`
    Fixed,
    /// `base * n`
    Linear,
    /// `base * (1, 1, 2, 3, 5, …)`
    Fibonacci,
    /// The `n`-th delay of the list; the last repeats.
    List(&'static [Duration]),
}

/// The built-in backoff: exponential, fixed, linear, Fibonacci, or a list.
///
/// Configured through [`RetryPolicy`](crate::RetryPolicy). All arithmetic saturates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    growth: Growth,
    base: Option<Duration>,
    factor: f64,
}

impl Schedule {
    /// Returns an exponential schedule from 100 ms with factor 2.
    #[must_use]
    pub(crate) const fn new() -> Self {
        Self { growth: Growth::Exponential, base: None, factor: FACTOR }
    }

    pub(crate) const fn exponential(mut self) -> Self {
        self.growth = Growth::Exponential;
        self
    }

    pub(crate) const fn fixed(mut self) -> Self {
        self.growth = Growth::Fixed;
        self
    }

    pub(crate) const fn linear(mut self) -> Self {
        self.growth = Growth::Linear;
        self
    }

    pub(crate) const fn fibonacci(mut self) -> Self {
        self.growth = Growth::Fibonacci;
        self
    }

    pub(crate) const fn list(mut self, delays: &'static [Duration]) -> Self {
        self.growth = Growth::List(delays);
        self
    }

    pub(crate) const fn base_delay(mut self, base: Duration) -> Self {
        self.base = Some(base);
        self
    }

    pub(crate) const fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Returns the first delay, if set.
    pub(crate) const fn base(&self) -> Option<Duration> {
        self.base
    }

    /// Returns the settings for the registry.
    pub(crate) fn settings(&self) -> Vec<Setting> {
        let growth = match self.growth {
            Growth::Exponential => "exponential",
            Growth::Fixed => "fixed",
            Growth::Linear => "linear",
            Growth::Fibonacci => "fibonacci",
            Growth::List(delays) => {
                let delays: Vec<_> = delays.iter().map(|delay| Exact(*delay).to_string()).collect();
                return vec![Setting::code("backoff", format_args!("[{}]", delays.join(", ")))];
            }
        };
        let mut settings = vec![Setting::code("backoff", growth)];
        settings.push(Setting::code("base_delay", Exact(self.first())));
        if self.growth == Growth::Exponential {
            settings.push(Setting::code("factor", self.factor));
        }
        settings
    }

    /// Returns the first delay.
    fn first(&self) -> Duration {
        self.base.unwrap_or(BASE_DELAY)
    }

    pub(crate) const fn growth_factor(&self) -> f64 {
        self.factor
    }

    pub(crate) const fn delays(&self) -> Option<&'static [Duration]> {
        match self.growth {
            Growth::List(delays) => Some(delays),
            _ => None,
        }
    }
}

impl Backoff for Schedule {
    fn delay(&self, retry: u32) -> Duration {
        match self.growth {
            Growth::Exponential => exponential(self.first(), self.factor, retry),
            Growth::Fixed => self.first(),
            Growth::Linear => self.first().saturating_mul(retry),
            Growth::Fibonacci => fibonacci(self.first(), retry),
            Growth::List(delays) => delays.delay(retry),
        }
    }

    fn throttled_delay(&self, retry: u32) -> Duration {
        match self.growth {
            Growth::List(delays) => delays.throttled_delay(retry),
            _ => self.base_delay(self.first().max(THROTTLED_BASE_DELAY)).delay(retry),
        }
    }

    fn default_jitter(&self) -> Jitter {
        match self.growth {
            Growth::Fixed => Jitter::None,
            _ => Jitter::Full,
        }
    }

    fn schedule(&self) -> Option<Schedule> {
        Some(*self)
    }

    /// Returns 10 s, or the base delay if longer. A list has no ceiling.
    fn default_max_delay(&self) -> Duration {
        match self.growth {
            Growth::List(_) => Duration::MAX,
            _ => self.first().max(MAX_DELAY),
        }
    }
}

/// Returns `base * factor^(retry-1)`. A factor below 1, or not a number, counts as 1.
fn exponential(base: Duration, factor: f64, retry: u32) -> Duration {
    let factor = if factor >= 1.0 { factor } else { 1.0 };
    scale(base, factor.powf(f64::from(retry.saturating_sub(1))))
}

/// Returns `base` times the `retry`-th Fibonacci number.
fn fibonacci(base: Duration, retry: u32) -> Duration {
    // The 186th number is the last below 2^128, far beyond every `Duration`.
    let (mut this, mut next) = (1_u128, 1_u128);
    for _ in 1..retry.min(186) {
        (this, next) = (next, this.saturating_add(next));
    }
    from_nanos(base.as_nanos().saturating_mul(this))
}

/// Returns `duration * by`, saturating. Zero times infinity is zero.
pub(crate) fn scale(duration: Duration, by: f64) -> Duration {
    if duration.is_zero() {
        return duration;
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a delay needs no more than 53 bits; the cast saturates and turns NaN into zero"
    )]
    from_nanos((duration.as_nanos() as f64 * by).round() as u128)
}

fn from_nanos(nanos: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    let (Ok(seconds), Ok(rest)) = (u64::try_from(nanos / SECOND), u32::try_from(nanos % SECOND))
    else {
        return Duration::MAX;
    };
    Duration::new(seconds, rest)
}
