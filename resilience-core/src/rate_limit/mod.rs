//! A limit to how many calls start in a time.

mod arrivals;
mod reservation;

use core::fmt;
use core::future::Future;
use core::time::Duration;

use self::arrivals::{Arrivals, HORIZON, Terms};
pub use self::reservation::{RateLimitAcquire, Reservation};
use crate::clock::{nanos, now};
#[cfg(not(resilience_loom))]
use crate::function_state::TestReset;
use crate::keyed::Forgettable;
use crate::outcome::Outcome;
use crate::rejected::{FromRejected, Rejected, RejectedKind, reject};
use crate::switch::is_enabled;
use resilience_rules::{InvalidPolicy, rate_limit as rules};

/// Lets calls start at a steady rate: a [`burst`](Self::burst) of them at once from rest, then one
/// every `per / rate` (GCRA, the leaky bucket as a meter). In any window of time no more start than the
/// burst and the share of the window.
///
/// A call that comes too early is rejected with the time until it may come, or with
/// [`wait`](Self::wait) waits for it. A rejected call costs nothing, and idle time is saved up to the
/// burst and no further.
///
/// The distance of calls is counted in whole nanoseconds and rounded up, so that the rate is never
/// exceeded, however long it runs: 3 a second are 333 333 334 ns from call to call, and nothing runs
/// faster than one in a nanosecond.
///
/// Built by `const fn`, so that one can stand in a `static`. Any value is accepted and no input
/// panics: a zero counts as 1 (of `per`, as one nanosecond), and [`validate`](Self::validate) says so.
/// Its state is one atomic word; it never locks or allocates.
///
/// ```
/// # extern crate resilience_core as resilience;
/// use core::time::Duration;
/// use resilience::{RateLimiter, Rejected, testing};
///
/// static SEARCH: RateLimiter = RateLimiter::new(10, Duration::from_secs(1)).burst(3).name("search");
///
/// let clock = testing::clock();
/// let search = || SEARCH.call(|| Ok::<_, Rejected>("found"));
/// for _ in 0..3 {
///     assert_eq!(search(), Ok("found"));
/// }
/// let rejected = search().unwrap_err();
/// assert_eq!(rejected.retry_after(), Some(Duration::from_millis(100)));
/// clock.advance(Duration::from_millis(100));
/// assert_eq!(search(), Ok("found"));
/// ```
#[must_use = "a limiter limits only what is run under it"]
pub struct RateLimiter {
    rate: u32,
    per: Duration,
    burst: u32,
    wait: Duration,
    name: Option<&'static str>,
    /// The same in nanoseconds.
    terms: Terms,
    arrivals: Arrivals,
}

impl RateLimiter {
    /// `rate` calls in each period of `per`, evenly spread. Zero counts as 1, or as one nanosecond.
    #[cfg(not(resilience_loom))]
    pub const fn new(rate: u32, per: Duration) -> Self {
        Self {
            rate,
            per,
            burst: rules::BURST,
            wait: Duration::ZERO,
            name: None,
            terms: Terms::new(rate, per, rules::BURST),
            arrivals: Arrivals::new(),
        }
    }

    /// How many calls may start at once after a rest. Default: 1. Zero counts as 1; and a burst that
    /// it would take more than 146 years to save up is cut to those.
    pub const fn burst(mut self, burst: u32) -> Self {
        self.burst = burst;
        self.terms = Terms::new(self.rate, self.per, burst);
        self
    }

    /// How long a call may wait to be let through; it is rejected at once where that is not enough.
    /// Default: zero, which is no wait. At most 146 years.
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// The name in rejections. Default: `"rate_limit"`.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// The same under this name, unless it has one: what generated code adds.
    #[doc(hidden)]
    pub const fn at(mut self, name: &'static str) -> Self {
        if self.name.is_none() {
            self.name = Some(name);
        }
        self
    }

    /// The first rule that the numbers break: for settings that come from a file. The attribute holds
    /// its constants to the same rules at compile time.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use core::time::Duration;
    /// use resilience::RateLimiter;
    ///
    /// assert!(RateLimiter::new(100, Duration::from_secs(1)).validate().is_ok());
    /// let error = RateLimiter::new(100, Duration::ZERO).validate().unwrap_err();
    /// assert_eq!(error.to_string(), "`per` is zero, but a rate needs a period, like `\"1s\"`");
    /// ```
    ///
    /// # Errors
    /// [`InvalidPolicy`]: a rate, a period or a burst of zero.
    pub const fn validate(&self) -> Result<(), InvalidPolicy> {
        if let Err(broken) = rules::rate(self.rate) {
            return Err(broken);
        }
        if let Err(broken) = rules::per(self.per) {
            return Err(broken);
        }
        rules::burst(self.burst)
    }

    /// Whether a call may be made now, which is then counted; never waits.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use core::time::Duration;
    /// use resilience::{RateLimiter, RejectedKind};
    ///
    /// let limiter = RateLimiter::new(1, Duration::from_secs(3600));
    /// assert!(limiter.try_acquire().is_ok());
    /// assert_eq!(limiter.try_acquire().unwrap_err().kind(), RejectedKind::RateLimited);
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] with the time until a call may be made.
    #[inline]
    pub fn try_acquire(&self) -> Result<(), Rejected> {
        // Without a wait there is nothing to give back.
        self.reserve_within(0).map(drop)
    }

    /// Takes a place that is at most [`wait`](Self::wait) ahead, and says how far: for code that waits
    /// in its own way.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use core::time::Duration;
    /// use resilience::{RateLimiter, testing};
    ///
    /// let second = Duration::from_secs(1);
    /// let limiter = RateLimiter::new(1, second).wait(2 * second);
    /// let clock = testing::clock();
    /// assert_eq!(limiter.reserve()?.delay(), Duration::ZERO);
    ///
    /// let place = limiter.reserve()?;
    /// assert_eq!(place.delay(), second);
    /// drop(place); // given back, and the next one has it
    /// let place = limiter.reserve()?;
    /// assert_eq!(place.delay(), second);
    ///
    /// clock.advance(place.delay());
    /// assert_eq!(place.delay(), Duration::ZERO); // now the call may be made
    /// # Ok::<(), resilience::Rejected>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] where the next place is further away than the wait; with the time until it, after
    /// which a call need not wait.
    #[inline]
    pub fn reserve(&self) -> Result<Reservation<'_>, Rejected> {
        self.reserve_within(self.longest_wait())
    }

    fn reserve_within(&self, wait: u64) -> Result<Reservation<'_>, Rejected> {
        if !is_enabled() {
            return Ok(Reservation::now());
        }
        match self.arrivals.take(self.terms, wait, self.longest_wait(), || now().word()) {
            Ok(slot) if slot.is_ahead => Ok(Reservation::later(self, slot)),
            Ok(_) => Ok(Reservation::now()),
            Err(left) => Err(self.rejected(left)),
        }
    }

    /// Counts a call, and blocks the thread until it may be made.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use core::time::Duration;
    /// use resilience::{RateLimiter, testing};
    ///
    /// let second = Duration::from_secs(1);
    /// let limiter = RateLimiter::new(2, second).wait(second);
    /// let clock = testing::clock();
    /// for _ in 0..5 {
    ///     limiter.acquire_blocking()?;
    /// }
    /// assert_eq!(clock.elapsed(), 2 * second); // of virtual time
    /// # Ok::<(), resilience::Rejected>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`], at once, where the [`wait`](Self::wait) is not enough; with the time until a call
    /// may be made.
    #[inline]
    pub fn acquire_blocking(&self) -> Result<(), Rejected> {
        self.reserve().map(Reservation::wait_blocking)
    }

    /// Counts a call, and waits until it may be made.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use core::time::Duration;
    /// use resilience::RateLimiter;
    ///
    /// static LIMITER: RateLimiter =
    ///     RateLimiter::new(1000, Duration::from_secs(1)).wait(Duration::from_secs(1));
    ///
    /// # #[cfg(feature = "tokio")]
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// LIMITER.acquire().await?;
    /// LIMITER.acquire().await?; // a millisecond later
    /// # Ok::<(), resilience::Rejected>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Its output is [`Rejected`], at once, where the [`wait`](Self::wait) is not enough; with the time
    /// until a call may be made.
    #[inline]
    pub fn acquire(&self) -> RateLimitAcquire<'_> {
        RateLimitAcquire::new(self)
    }

    /// Calls `body` when it may be, for which it may [block](Self::acquire_blocking) the thread; a
    /// rejection becomes an outcome of the call.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use core::time::Duration;
    /// use resilience::RateLimiter;
    ///
    /// static LIMITER: RateLimiter = RateLimiter::new(1, Duration::from_secs(3600));
    ///
    /// assert_eq!(LIMITER.call(|| Some(7)), Some(7));
    /// assert_eq!(LIMITER.call(|| Some(7)), None);
    /// ```
    pub fn call<O>(&self, body: impl FnOnce() -> O) -> O
    where
        O: Outcome<Err: FromRejected>,
    {
        match self.acquire_blocking() {
            Ok(()) => body(),
            Err(rejected) => reject(rejected),
        }
    }

    /// Awaits `body` when it may be, for which it may [wait](Self::acquire); a rejection becomes an
    /// outcome of the call.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use core::time::Duration;
    /// use resilience::{RateLimiter, Rejected};
    ///
    /// static LIMITER: RateLimiter = RateLimiter::new(10, Duration::from_secs(1));
    ///
    /// # #[cfg(feature = "tokio")]
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let answer: Result<u32, Rejected> = LIMITER.call_async(async { Ok(7) }).await;
    /// assert_eq!(answer, Ok(7));
    /// # });
    /// ```
    pub async fn call_async<O>(&self, body: impl Future<Output = O>) -> O
    where
        O: Outcome<Err: FromRejected>,
    {
        match self.acquire().await {
            Ok(()) => body.await,
            Err(rejected) => reject(rejected),
        }
    }

    /// How many calls would be let through at once.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.arrivals.available(self.terms, now().word())
    }

    fn longest_wait(&self) -> u64 {
        nanos(self.wait).min(HORIZON)
    }

    #[cold]
    fn rejected(&self, left: u64) -> Rejected {
        let name = self.name.unwrap_or("rate_limit");
        Rejected::new(RejectedKind::RateLimited, name, Some(Duration::from_nanos(left)))
    }
}

#[cfg(not(resilience_loom))]
impl TestReset for RateLimiter {
    fn fresh(&self) -> Self {
        Self { arrivals: Arrivals::new(), ..*self }
    }
}

impl AsRef<RateLimiter> for RateLimiter {
    fn as_ref(&self) -> &RateLimiter {
        self
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rate, per, burst, wait, name, .. } = self;
        f.debug_struct("RateLimiter")
            .field("name", &name.unwrap_or("rate_limit"))
            .field("rate", rate)
            .field("per", per)
            .field("burst", burst)
            .field("wait", wait)
            .field("available", &self.available())
            .finish()
    }
}

impl Forgettable for RateLimiter {
    fn is_as_new(&self) -> bool {
        self.available() >= self.burst.max(1)
    }
}
