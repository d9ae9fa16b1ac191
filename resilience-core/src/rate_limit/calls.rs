//! The calls under a rate limiter, by hand and of annotated functions.

use core::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;

use super::{
    Defined, Definition, OwnedRateLimitPermit, RateLimitAcquire, RateLimiter, Reservation, acquire,
};
use crate::clock::{Timestamp, real_time};
use crate::mode;
use crate::registry::policy::count_success;
use crate::rejected::Rejected;
use crate::switch::is_enabled;

impl<D: Defined> RateLimiter<D> {
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
        self.try_acquire_many(1)
    }

    /// Takes `cost` permits if available; never waits. A cost of 0 is always admitted.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::RateLimiter;
    ///
    /// let tokens = RateLimiter::new(1000, Duration::from_secs(60)).burst(500);
    /// assert!(tokens.try_acquire_many(400).is_ok());
    /// assert!(tokens.try_acquire_many(400).is_err());
    /// assert!(tokens.try_acquire_many(100).is_ok());
    /// // More than a burst is never available at once.
    /// assert_eq!(tokens.try_acquire_many(501).unwrap_err().retry_after(), None);
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] with the time until the permits are available. The time is `None` for a cost
    /// above the burst: such a call needs a [`wait`](Self::wait).
    #[inline]
    pub fn try_acquire_many(&self, cost: u32) -> Result<(), Rejected> {
        let Definition { settings, shared, .. } = self.definition();
        if !mode::is_plain() || cost == 0 || shared.is_some() {
            return self.take_and_count(cost);
        }
        let (gcra, pace) = (&self.state.gcra, &settings.pace);
        gcra.start_at_end(pace, pace.width(cost), || real_time().word())
            .or_else(|missed| self.take_missed(cost, missed))
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
    pub fn reserve(&self) -> Result<Reservation<'_, D>, Rejected> {
        let settings = self.current();
        if !is_enabled() || !settings.enabled {
            return Ok(Reservation::now());
        }
        let view = self.view(settings.pace);
        view.count(1);
        let wait = view.within(settings.pace.longest_wait);
        let planned = view.gcra.reserve(view.request(1, wait), || view.now());
        if planned.is_ok() {
            count_success(self);
        }
        match planned {
            Ok(grant) if grant.must_wait && !settings.shadow => Ok(Reservation::later(self, grant)),
            Ok(_) => Ok(Reservation::now()),
            Err(left) => self.refuse(&view, 1, wait, left).map(|()| Reservation::now()),
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
        self.acquire_blocking_by(1, None, 0)
    }

    /// Takes `cost` permits, and blocks the thread until the permits are valid.
    ///
    /// # Errors
    /// As for [`acquire_blocking`](Self::acquire_blocking).
    #[inline]
    pub fn acquire_many_blocking(&self, cost: u32) -> Result<(), Rejected> {
        self.acquire_blocking_by(cost, None, 0)
    }

    /// Takes permits, and blocks the thread at most until `deadline`. The longest wait is the wait
    /// of the limiter, or `patience` nanoseconds if longer. `u64::MAX` is a wait without a limit.
    #[doc(hidden)]
    #[inline]
    pub fn acquire_blocking_by(
        &self,
        cost: u32,
        deadline: Option<Timestamp>,
        patience: u64,
    ) -> Result<(), Rejected> {
        if self.starts_at_once(cost) {
            return Ok(());
        }
        acquire::block(self, cost, deadline, patience)
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
    pub fn acquire(&self) -> RateLimitAcquire<'_, D> {
        self.acquire_by(1, None, 0)
    }

    /// Takes `cost` permits, and waits until the permits are valid. The calls behind wait until
    /// then, so that an expensive call is not overtaken forever.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::RateLimiter;
    ///
    /// static TOKENS: RateLimiter = RateLimiter::new(100_000, Duration::from_secs(60))
    ///     .burst(20_000)
    ///     .wait(Duration::from_secs(30));
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    /// # runtime.block_on(async {
    /// let estimate = 1500;
    /// TOKENS.acquire_many(estimate).await?;
    /// let used = 900; // from the response
    /// TOKENS.settle(estimate, used);
    /// # Ok::<(), resilience::Rejected>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    #[inline]
    pub fn acquire_many(&self, cost: u32) -> RateLimitAcquire<'_, D> {
        self.acquire_by(cost, None, 0)
    }

    /// Takes permits, and waits at most until `deadline`. The longest wait is the wait of the
    /// limiter, or `patience` nanoseconds if longer. `u64::MAX` is a wait without a limit.
    #[doc(hidden)]
    #[inline]
    pub fn acquire_by(
        &self,
        cost: u32,
        deadline: Option<Timestamp>,
        patience: u64,
    ) -> RateLimitAcquire<'_, D> {
        RateLimitAcquire::new(self, cost, deadline, patience)
    }

    /// Takes `cost` permits if available, in a permit that corrects the cost later.
    ///
    /// # Errors
    /// As for [`try_acquire_many`](Self::try_acquire_many).
    pub fn try_acquire_owned(
        self: Arc<Self>,
        cost: u32,
    ) -> Result<OwnedRateLimitPermit<D>, Rejected> {
        self.try_acquire_many(cost).map(|()| OwnedRateLimitPermit::new(self, cost))
    }

    /// Takes `cost` permits as [`acquire_many`](Self::acquire_many), in a permit that travels into
    /// a task or a response body, and corrects the cost there.
    ///
    /// ```
    /// use core::time::Duration;
    /// use std::sync::Arc;
    /// use resilience::RateLimiter;
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    /// # runtime.block_on(async {
    /// let tokens = Arc::new(RateLimiter::new(1000, Duration::from_secs(60)).burst(1000));
    /// let permit = Arc::clone(&tokens).acquire_owned(600).await?;
    /// tokio::spawn(async move { permit.settle(100) }).await.unwrap();
    /// assert_eq!(tokens.available(), 900);
    /// # Ok::<(), resilience::Rejected>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The output is as for [`acquire`](Self::acquire).
    pub async fn acquire_owned(
        self: Arc<Self>,
        cost: u32,
    ) -> Result<OwnedRateLimitPermit<D>, Rejected> {
        self.acquire_many(cost).await.map(|()| OwnedRateLimitPermit::new(self, cost))
    }

    /// Returns the number of calls of cost 1 that would be admitted at once.
    #[must_use]
    pub fn available(&self) -> u32 {
        let view = self.current_view();
        view.gcra.available(view.pace, view.now())
    }

    /// Returns the number of calls that the limiter would have rejected, if not in
    /// [shadow mode](Self::shadow).
    #[must_use]
    pub fn shadow_rejections(&self) -> u64 {
        let extra = self.state.gcra.extra_if_needed();
        extra.map_or(0, |extra| extra.shadow_rejections.load(Relaxed))
    }
}
