//! Rate limiters: limit the number of calls per time.

mod gcra;
mod reservation;

use core::fmt;
use core::time::Duration;

use self::gcra::{Gcra, MAX_NANOS, Pace};
pub use self::reservation::{RateLimitAcquire, Reservation};
use crate::clock::{nanos, now};
#[cfg(not(resilience_loom))]
use crate::function_state::TestReset;
use crate::keyed::Evictable;
use crate::limiter::limiter;
use crate::rejected::{Rejected, RejectedKind};
use crate::switch::is_enabled;
use resilience_rules::{InvalidPolicy, rate_limit as rules};

/// Limits the rate of calls: a [`burst`](Self::burst) at once after a rest, then one call every
/// `per / rate` (GCRA, the leaky bucket as a meter). No window of time has more calls than the
/// burst plus the steady rate.
///
/// An early call is rejected with the time until the next permit, or waits with
/// [`wait`](Self::wait). A rejected call uses no permit. Idle time saves up permits, at most a
/// burst.
///
/// The interval between calls is in whole nanoseconds, rounded up, so that the rate is never
/// exceeded in the long run: 3 calls a second are 333 333 334 ns apart. The smallest interval is 1
/// ns.
///
/// Built by `const fn`, so a limiter can be a `static`. Every value is accepted without a panic: a
/// zero counts as 1 (for `per`, as one nanosecond), and [`validate`](Self::validate) reports the
/// mistake. The state is one atomic word, without locks and allocations.
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
#[must_use = "a limiter does nothing until a call takes a permit"]
pub struct RateLimiter {
    rate: u32,
    per: Duration,
    burst: u32,
    wait: Duration,
    name: Option<&'static str>,
    /// The rate in nanoseconds.
    pace: Pace,
    gcra: Gcra,
}

impl RateLimiter {
    /// Creates a limiter for `rate` calls per `per`, evenly spread. Zero counts as 1, or as one
    /// nanosecond.
    #[cfg(not(resilience_loom))]
    pub const fn new(rate: u32, per: Duration) -> Self {
        Self {
            rate,
            per,
            burst: rules::BURST,
            wait: Duration::ZERO,
            name: None,
            pace: Pace::new(rate, per, rules::BURST),
            gcra: Gcra::new(),
        }
    }

    /// Sets the number of calls that may start at once after a rest. Default: 1. Zero counts as 1.
    /// Limited to the permits of 146 years.
    pub const fn burst(mut self, burst: u32) -> Self {
        self.burst = burst;
        self.pace = Pace::new(self.rate, self.per, burst);
        self
    }

    /// Sets the longest wait of a call. A call that would wait longer is rejected at once.
    /// Default: zero, no wait. At most 146 years.
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Returns the first rule that the settings break. Use it for settings from a file; the
    /// attribute checks constants against the same rules at compile time.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::RateLimiter;
    ///
    /// assert!(RateLimiter::new(100, Duration::from_secs(1)).validate().is_ok());
    /// let error = RateLimiter::new(100, Duration::ZERO).validate().unwrap_err();
    /// assert!(error.to_string().contains("`per`"));
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

    /// Takes a permit if available; never waits.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::{RateLimiter, RejectedKind};
    ///
    /// let limiter = RateLimiter::new(1, Duration::from_secs(3600));
    /// assert!(limiter.try_acquire().is_ok());
    /// assert_eq!(limiter.try_acquire().unwrap_err().kind(), RejectedKind::RateLimited);
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] with the time until the next permit.
    #[inline]
    pub fn try_acquire(&self) -> Result<(), Rejected> {
        // Without a wait there is no grant to return.
        self.reserve_within(0).map(drop)
    }

    /// Reserves a permit at most [`wait`](Self::wait) ahead, and returns the delay until the
    /// permit is valid. For code with its own way to wait.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::{RateLimiter, testing};
    ///
    /// let second = Duration::from_secs(1);
    /// let limiter = RateLimiter::new(1, second).wait(2 * second);
    /// let clock = testing::clock();
    /// assert_eq!(limiter.reserve()?.delay(), Duration::ZERO);
    ///
    /// let reservation = limiter.reserve()?;
    /// assert_eq!(reservation.delay(), second);
    /// drop(reservation); // returns the permit to the next call
    /// let reservation = limiter.reserve()?;
    /// assert_eq!(reservation.delay(), second);
    ///
    /// clock.advance(reservation.delay());
    /// assert_eq!(reservation.delay(), Duration::ZERO); // the call may start
    /// # Ok::<(), resilience::Rejected>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] if the next permit is further away than the wait; with the time until a call
    /// need not wait.
    #[inline]
    pub fn reserve(&self) -> Result<Reservation<'_>, Rejected> {
        self.reserve_within(self.longest_wait())
    }

    fn reserve_within(&self, wait: u64) -> Result<Reservation<'_>, Rejected> {
        if !is_enabled() {
            return Ok(Reservation::now());
        }
        match self.gcra.try_acquire(self.pace, wait, self.longest_wait(), || now().word()) {
            Ok(grant) if grant.must_wait => Ok(Reservation::later(self, grant)),
            Ok(_) => Ok(Reservation::now()),
            Err(left) => Err(self.rejected(left)),
        }
    }

    /// Takes a permit, and blocks the thread until the permit is valid.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::{RateLimiter, testing};
    ///
    /// let second = Duration::from_secs(1);
    /// let limiter = RateLimiter::new(2, second).wait(second);
    /// let clock = testing::clock();
    /// for _ in 0..5 {
    ///     limiter.acquire_blocking()?;
    /// }
    /// assert_eq!(clock.elapsed(), 2 * second); // virtual time
    /// # Ok::<(), resilience::Rejected>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`], at once, if the [`wait`](Self::wait) is too short; with the time until the
    /// next permit.
    #[inline]
    pub fn acquire_blocking(&self) -> Result<(), Rejected> {
        self.reserve().map(Reservation::wait_blocking)
    }

    /// Takes a permit, and waits until the permit is valid.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::RateLimiter;
    ///
    /// static LIMITER: RateLimiter =
    ///     RateLimiter::new(1000, Duration::from_secs(1)).wait(Duration::from_secs(1));
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    /// # runtime.block_on(async {
    /// LIMITER.acquire().await?;
    /// LIMITER.acquire().await?; // 1 ms later
    /// # Ok::<(), resilience::Rejected>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The output is [`Rejected`], at once, if the [`wait`](Self::wait) is too short; with the
    /// time until the next permit.
    #[inline]
    pub fn acquire(&self) -> RateLimitAcquire<'_> {
        RateLimitAcquire::new(self)
    }

    /// Returns the number of calls that would be admitted at once.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.gcra.available(self.pace, now().word())
    }

    fn longest_wait(&self) -> u64 {
        nanos(self.wait).min(MAX_NANOS)
    }

    #[cold]
    fn rejected(&self, left: u64) -> Rejected {
        Rejected::new(
            RejectedKind::RateLimited,
            self.name_or_default(),
            Some(Duration::from_nanos(left)),
        )
    }
}

limiter!(RateLimiter, "rate_limit");

#[cfg(not(resilience_loom))]
impl TestReset for RateLimiter {
    fn fresh(&self) -> Self {
        Self { gcra: Gcra::new(), ..*self }
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rate, per, burst, wait, .. } = self;
        f.debug_struct("RateLimiter")
            .field("name", &self.name_or_default())
            .field("rate", rate)
            .field("per", per)
            .field("burst", burst)
            .field("wait", wait)
            .field("available", &self.available())
            .finish()
    }
}

impl Evictable for RateLimiter {
    fn is_pristine(&self) -> bool {
        self.available() >= self.burst.max(1)
    }
}
