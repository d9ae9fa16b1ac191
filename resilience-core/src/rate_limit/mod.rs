//! Rate limiters: limit the number of calls per time.

mod acquire;
mod admission;
mod builder;
mod calls;
mod gcra;
mod line;
#[cfg(all(test, resilience_loom))]
mod model;
mod pace;
mod per_key;
mod permit;
mod queue;
mod report;
mod reservation;
mod settings;
mod settle;
mod share;
mod share_clock;
mod spans;
mod view;

use core::borrow::Borrow;
use core::fmt;
use std::sync::{Arc, OnceLock};

pub use self::acquire::RateLimitAcquire;
use self::gcra::Gcra;
pub use self::per_key::{KeyRateLimiter, keyed_take};
pub use self::permit::OwnedRateLimitPermit;
pub use self::reservation::Reservation;
use self::settings::Settings;
pub use self::settle::{refund_in_queue, refund_rejected, settle_call};
pub use self::share::{RateShare, ShareTerms, rate_share_requests, rate_shares};
#[cfg(not(resilience_loom))]
use crate::function_state::TestReset;
use crate::keyed::KeyLabel;
use crate::limiter::limiter;
use crate::registry::PolicyFigures;
use crate::settings::Live;
use crate::sync::{Tally, const_fn};

/// Limits the rate of calls: a [`burst`](Self::burst) at once after a rest, then one call every
/// `per / rate` (GCRA, the leaky bucket as a meter). No window of time has more calls than the
/// burst plus the steady rate.
///
/// An early call is rejected with the time until the next permit, or waits with
/// [`wait`](Self::wait). Waiting calls get their turns in the order of arrival. A call that leaves
/// the wait gives its turn back, and the calls behind move up. A rejected call uses no permit. Idle
/// time saves up permits, at most a burst.
///
/// A call may cost several permits, for example the tokens of a language model:
/// [`acquire_many`](Self::acquire_many), and [`settle`](Self::settle) after the call.
///
/// The interval between calls is in whole nanoseconds, rounded up, so that the rate is never
/// exceeded in the long run: 3 calls a second are 333 333 334 ns apart. The smallest interval is 1
/// ns.
///
/// Built by `const fn`, so a limiter can be a `static`. Every value is accepted without a panic: a
/// zero counts as 1 (for `per`, as one nanosecond), and [`validate`](Self::validate) reports the
/// mistake. A call that need not wait changes one atomic word, without locks and allocations.
///
/// ```
/// use core::time::Duration;
/// use resilience::{RateLimiter, Rejected, testing};
///
/// static SEARCH: RateLimiter =
///     RateLimiter::new(10, Duration::from_secs(1)).burst(3).name("search");
///
/// let clock = testing::clock();
/// let search = || SEARCH.run(|| Ok::<_, Rejected>("found"));
/// for _ in 0..3 {
///     assert_eq!(search(), Ok("found"));
/// }
/// let rejected = search().unwrap_err();
/// assert_eq!(rejected.retry_after(), Some(Duration::from_millis(100)));
/// clock.advance(Duration::from_millis(100));
/// assert_eq!(search(), Ok("found"));
/// ```
///
/// `D` is the place of the settings: in the limiter, or for the limiters of a
/// [`Keyed`](crate::Keyed) table in one place for all keys.
#[must_use = "a limiter does nothing until a call takes a permit"]
pub struct RateLimiter<D: Defined = Definition> {
    definition: D,
    state: State,
}

/// The part of a limiter that does not change: the settings of the code, and names.
#[doc(hidden)]
#[derive(Debug)]
pub struct Definition {
    settings: Settings,
    /// Whether the settings are overridden.
    live: Live<Settings>,
    name: Option<&'static str>,
    key: Option<KeyLabel>,
    /// The name of a rate that several processes use together.
    shared: Option<&'static str>,
    figures: PolicyFigures,
}

/// A place of a [`Definition`]: the definition itself, or an [`Arc`].
#[doc(hidden)]
pub trait Defined: Borrow<Definition> + Send + Sync {}

impl<D: Borrow<Definition> + Send + Sync> Defined for D {}

/// The part of a limiter that calls change.
#[derive(Debug)]
struct State {
    gcra: Gcra,
    /// The rejected calls of this limiter alone.
    rejected: Tally,
}

/// The state that few limiters need.
#[derive(Debug)]
struct Extra {
    /// The settings in use, if overridden.
    live: Live<Settings>,
    shadow_rejections: Tally,
    /// The state of a shared limiter, in place of the limiter's own, from the first use on.
    share: OnceLock<Arc<RateShare>>,
}

impl State {
    const_fn! {
        fn new() -> Self {
            Self { gcra: Gcra::new(), rejected: Tally::new(0) }
        }
    }
}

impl Extra {
    fn new() -> Self {
        Self { live: Live::new(), shadow_rejections: Tally::new(0), share: OnceLock::new() }
    }
}

impl<D: Defined> RateLimiter<D> {
    #[inline]
    fn definition(&self) -> &Definition {
        self.definition.borrow()
    }
}

limiter!(RateLimiter, RateLimit, definition, D: Defined);

#[cfg(not(resilience_loom))]
impl<D: Defined + From<Definition> + 'static> TestReset for RateLimiter<D> {
    fn fresh(&self) -> Self {
        let &Definition { settings, name, shared, ref key, ref figures, .. } = self.definition();
        let (key, figures, live) = (key.clone(), figures.fresh(), Live::new());
        let definition = Definition { settings, live, name, key, shared, figures };
        Self { definition: definition.into(), state: State::new() }
    }
}

impl<D: Defined> fmt::Debug for RateLimiter<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { rate, per, burst, wait, .. } = &*self.last();
        f.debug_struct("RateLimiter")
            .field("name", &self.name_or_default())
            .field("rate", rate)
            .field("per", per)
            .field("burst", burst)
            .field("wait", wait)
            .field("available", &self.available())
            .finish_non_exhaustive()
    }
}
