//! Rate limiters: limit the number of calls per time.

mod acquire;
mod gcra;
mod line;
mod permit;
mod report;
mod reservation;
mod settings;
mod share;
mod share_clock;
mod spans;
mod view;

use core::convert::Infallible;
use core::fmt;
use core::sync::atomic::Ordering::Relaxed;
use core::task::Waker;
use core::time::Duration;
use std::sync::{Arc, OnceLock};

pub use self::acquire::RateLimitAcquire;
use self::gcra::{Gcra, Grant, MAX_NANOS, Pace, Queued};
pub use self::permit::OwnedRateLimitPermit;
pub use self::reservation::Reservation;
use self::settings::Settings;
pub use self::share::{RateShare, ShareTerms, rate_share_requests, rate_shares};
use self::view::View;
use crate::attempt_scope;
use crate::classify::Effect;
use crate::clock::{Timestamp, nanos, now};
use crate::context::{self, current};
#[cfg(not(resilience_loom))]
use crate::function_state::TestReset;
use crate::keyed::{KeyLabel, KeyedPolicy};
use crate::limiter::limiter;
use crate::log;
use crate::mode;
use crate::registry::policy::{count_rejection, count_success};
use crate::registry::{PolicyFigures, Record};
use crate::rejected::{Rejected, RejectedKind};
use crate::rejection_signal::RejectionSignal;
use crate::settings::Live;
use crate::switch::is_enabled;
use crate::sync::Tally;
use crate::waiters::WaiterId;
use resilience_rules::InvalidPolicy;

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
#[must_use = "a limiter does nothing until a call takes a permit"]
pub struct RateLimiter {
    /// The settings of the code.
    settings: Settings,
    /// The settings in use, if overridden.
    live: Live<Settings>,
    name: Option<&'static str>,
    key: Option<KeyLabel>,
    shadow_rejections: Tally,
    figures: PolicyFigures,
    gcra: Gcra,
    /// The name of a rate that several processes use together.
    shared: Option<&'static str>,
    /// The state of a shared limiter, in place of `gcra`, from the first use on.
    share: OnceLock<Arc<RateShare>>,
}

impl RateLimiter {
    /// Creates a limiter for `rate` calls per `per`, evenly spread. Zero counts as 1, or as one
    /// nanosecond.
    #[track_caller]
    #[cfg(not(resilience_loom))]
    pub const fn new(rate: u32, per: Duration) -> Self {
        Self {
            settings: Settings::new(rate, per),
            live: Live::new(),
            name: None,
            key: None,
            shadow_rejections: Tally::new(0),
            figures: PolicyFigures::new(),
            gcra: Gcra::new(),
            shared: None,
            share: OnceLock::new(),
        }
    }

    /// Divides the rate between the limiters of this name in all processes.
    ///
    /// The synchronization task of `resilience::stores::rate_limit` leases a share of the rate and
    /// of the burst for this limiter, by demand, through Redis or PostgreSQL. Calls never wait for
    /// the task. In any interval, all limiters together admit at most the calls that one limiter
    /// with these settings would admit, plus one call for each limiter. Without the task the
    /// limiter uses the whole rate, and the first rejection logs a warning.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::RateLimiter;
    ///
    /// static PARTNER: RateLimiter =
    ///     RateLimiter::new(100, Duration::from_secs(1)).burst(20).shared("partner-api");
    /// assert!(PARTNER.try_acquire().is_ok());
    /// ```
    pub const fn shared(mut self, name: &'static str) -> Self {
        self.shared = Some(name);
        self.settings.is_shared = true;
        self
    }

    /// Sets the rate, for settings per key. Zero counts as 1.
    pub const fn rate(mut self, rate: u32) -> Self {
        self.settings.rate = rate;
        self.updated()
    }

    /// Sets the period of the rate, for settings per key. Zero counts as one nanosecond.
    pub const fn per(mut self, per: Duration) -> Self {
        self.settings.per = per;
        self.updated()
    }

    /// Sets the number of calls that may start at once after a rest. Default: 1. Zero counts as 1.
    /// Limited to the permits of 146 years.
    pub const fn burst(mut self, burst: u32) -> Self {
        self.settings.burst = burst;
        self.updated()
    }

    /// Sets the longest wait of a call. A call that would wait longer is rejected at once.
    /// Default: zero, no wait. At most 146 years; [`Duration::MAX`] is a wait without a limit.
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.settings.wait = wait;
        self.updated()
    }

    /// Computes the pace after a setting has changed.
    const fn updated(mut self) -> Self {
        self.settings = self.settings.resolved();
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
        self.settings.validate()
    }

    /// Turns on shadow mode: the limiter decides, counts and logs, but every call runs at once. A
    /// call that would be rejected counts as a [shadow rejection](Self::shadow_rejections). For
    /// trying a rate in production.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::RateLimiter;
    ///
    /// let limiter = RateLimiter::new(1, Duration::from_secs(3600)).shadow();
    /// assert!(limiter.try_acquire().is_ok() && limiter.try_acquire().is_ok());
    /// assert_eq!(limiter.shadow_rejections(), 1);
    /// ```
    pub const fn shadow(mut self) -> Self {
        self.settings.shadow = true;
        self
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
        if !mode::is_plain() || cost == 0 {
            return self.take_and_count(cost);
        }
        self.take(self.view(self.settings.pace), cost)
    }

    #[inline]
    fn take(&self, view: View<'_>, cost: u32) -> Result<(), Rejected> {
        view.count(cost);
        match view.gcra.try_acquire(view.request(cost, 0), || view.now()) {
            Ok(()) => Ok(()),
            Err(left) => self.refuse(view, cost, 0, left),
        }
    }

    #[cold]
    fn take_and_count(&self, cost: u32) -> Result<(), Rejected> {
        let settings = self.current();
        if !is_enabled() || !settings.enabled || cost == 0 {
            return Ok(());
        }
        if !settings.shadow {
            self.overdue().map_or(Ok(()), Err)?;
        }
        self.take(self.view(settings.pace), cost).inspect(|()| count_success(self))
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
        let settings = self.current();
        if !is_enabled() || !settings.enabled {
            return Ok(Reservation::now());
        }
        let view = self.view(settings.pace);
        view.count(1);
        let wait = view.within(settings.pace.longest_wait());
        let planned = view.gcra.reserve(view.request(1, wait), || view.now());
        if planned.is_ok() {
            count_success(self);
        }
        match planned {
            Ok(grant) if grant.must_wait && !settings.shadow => Ok(Reservation::later(self, grant)),
            Ok(_) => Ok(Reservation::now()),
            Err(left) => self.refuse(view, 1, wait, left).map(|()| Reservation::now()),
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

    /// Admits a call of a limiter that rejects no call: without a limit of the wait and without a
    /// deadline, or in shadow mode.
    ///
    /// # Errors
    /// Never fails.
    #[doc(hidden)]
    #[inline]
    #[allow(clippy::must_use_candidate, reason = "a `Result` without an error is no result")]
    pub fn admitted(result: Result<(), Rejected>) -> Result<(), Infallible> {
        // Rejected only at the end of the 64-bit clock, after 584 years.
        drop(result);
        Ok(())
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
    pub fn acquire_many(&self, cost: u32) -> RateLimitAcquire<'_> {
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
    ) -> RateLimitAcquire<'_> {
        RateLimitAcquire::new(self, cost, deadline, patience)
    }

    /// Takes `cost` permits if available, in a permit that corrects the cost later.
    ///
    /// # Errors
    /// As for [`try_acquire_many`](Self::try_acquire_many).
    pub fn try_acquire_owned(self: Arc<Self>, cost: u32) -> Result<OwnedRateLimitPermit, Rejected> {
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
    ) -> Result<OwnedRateLimitPermit, Rejected> {
        self.acquire_many(cost).await.map(|()| OwnedRateLimitPermit::new(self, cost))
    }

    /// Corrects the cost of a call after the call: the call took `taken` permits and used `actual`
    /// permits. Unused permits return to the limiter. Missing permits delay later calls and calls
    /// that wait.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::{RateLimiter, testing};
    ///
    /// let limiter = RateLimiter::new(10, Duration::from_secs(1)).burst(10);
    /// let clock = testing::clock();
    /// limiter.try_acquire_many(4)?;
    /// limiter.settle(4, 1);
    /// assert_eq!(limiter.available(), 9);
    /// limiter.settle(1, 20); // a debt of ten permits
    /// assert_eq!(limiter.try_acquire().unwrap_err().retry_after(), Some(Duration::from_millis(1100)));
    /// # let _ = clock;
    /// # Ok::<(), resilience::Rejected>(())
    /// ```
    pub fn settle(&self, taken: u32, actual: u32) {
        if mode::is_as_coded() {
            Self::settle_in(self.view(self.settings.pace), taken, actual);
        } else {
            self.settle_overridden(taken, actual);
        }
    }

    #[cold]
    fn settle_overridden(&self, taken: u32, actual: u32) {
        let settings = self.current();
        if is_enabled() && settings.enabled {
            Self::settle_in(self.view(settings.pace), taken, actual);
        }
    }

    #[inline]
    fn settle_in(view: View<'_>, taken: u32, actual: u32) {
        let View { gcra, pace, .. } = view;
        if actual < taken {
            gcra.refund(pace, pace.width(taken - actual), || view.now());
        } else if actual > taken {
            gcra.charge(pace.width(actual - taken), || view.now());
        }
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
        self.shadow_rejections.load(Relaxed)
    }

    /// Takes permits without a wait, if possible.
    #[inline]
    fn starts_at_once(&self, cost: u32) -> bool {
        if !mode::is_plain() || cost == 0 {
            return self.starts_and_counts(cost);
        }
        Self::starts(self.view(self.settings.pace), cost)
    }

    #[inline]
    fn starts(view: View<'_>, cost: u32) -> bool {
        let starts = view.gcra.try_start(view.request(cost, 0), || view.now());
        if starts {
            view.count(cost);
        }
        starts
    }

    #[cold]
    fn starts_and_counts(&self, cost: u32) -> bool {
        let settings = self.current();
        if !is_enabled() || !settings.enabled || cost == 0 {
            return true;
        }
        // After the deadline the call takes the path that can reject the call.
        let is_overdue = !settings.shadow && context::is_overdue();
        let starts = !is_overdue && Self::starts(self.view(settings.pace), cost);
        if starts {
            count_success(self);
        }
        starts
    }

    /// Admits a call, or queues the call.
    fn admit(
        &self,
        cost: u32,
        deadline: Option<Timestamp>,
        patience: u64,
        waker: &Waker,
    ) -> Result<Admission, Rejected> {
        if self.starts_at_once(cost) {
            return Ok(Admission::Now);
        }
        let settings = self.current();
        if !settings.shadow && deadline != Some(current::UNBOUNDED) {
            self.overdue().map_or(Ok(()), Err)?;
        }
        let view = self.view(settings.pace);
        view.count(cost);
        let is_patient = attempt_scope::is_patient(patience);
        let patience = match attempt_scope::patience(patience) {
            u64::MAX => u64::MAX,
            patience => patience.min(MAX_NANOS),
        };
        let longest = settings.pace.longest_wait().max(patience);
        if settings.shadow {
            let wait = view.within(settings.pace.longest_wait());
            let planned = view.gcra.reserve(view.request(cost, wait), || view.now());
            return planned
                .map(|_| Admission::Now)
                .or_else(|left| self.refuse(view, cost, wait, left).map(|()| Admission::Now));
        }
        let wait = view.within(match current::bound_of_wait(deadline, is_patient) {
            Some(deadline) => nanos(deadline.since(now())).min(longest),
            None => longest,
        });
        let request = view.request(cost, wait);
        match view.gcra.acquire_or_queue(request, waker.clone(), || view.now()) {
            Ok(Some(queued)) => {
                Ok(Admission::Queued(Queued { turn: view.time_of(queued.turn), ..queued }))
            }
            Ok(None) => {
                count_success(self);
                Ok(Admission::Now)
            }
            Err(left) => self.refuse(view, cost, wait, left).map(|()| Admission::Now),
        }
    }

    /// Returns `None` if the waiting call has its turn, and the time of the timer otherwise.
    fn poll_turn(&self, id: WaiterId, waker: &Waker) -> Option<u64> {
        let view = self.current_view();
        let alarm = view.gcra.poll(view.pace, id, waker.clone(), || view.now())?;
        Some(view.time_of(alarm))
    }

    /// Returns whether calls wait under the settings in use. Moves the waiting calls if the pace has
    /// changed.
    fn makes_calls_wait(&self) -> bool {
        let settings = self.current();
        settings.enabled && !settings.shadow
    }

    fn start_early(&self, id: WaiterId) {
        let view = self.current_view();
        view.gcra.start(view.pace, id, || view.now());
    }

    fn leave(&self, id: WaiterId) {
        let view = self.current_view();
        view.gcra.leave(view.pace, id, || view.now());
    }

    fn release(&self, grant: Grant) {
        let view = self.current_view();
        view.gcra.release(view.pace, grant.span, || view.now());
    }

    /// Returns the time until a turn.
    fn remaining(&self, turn: u64) -> Duration {
        Duration::from_nanos(self.current_view().time_of(turn).saturating_sub(now().word()))
    }

    /// Rejects a call, or reports the rejection in shadow mode.
    #[cold]
    fn refuse(&self, view: View<'_>, cost: u32, wait: u64, left: u64) -> Result<(), Rejected> {
        // The wait of a cost above the burst, at a limiter at rest.
        let burst = view.pace.tolerance().saturating_add(view.pace.interval());
        let above_burst = view.pace.width(cost).saturating_sub(burst);
        let is_possible = above_burst == 0 || above_burst <= wait;
        let retry_after = view.real_time(left).filter(|_| is_possible);
        let rejected = self.rejection(RejectedKind::RateLimited, retry_after);
        let is_shadow = self.live.last(&self.settings).shadow;
        count_rejection(self, is_shadow);
        if let Some(share) = view.share {
            share.warn_if_unsynchronized(self.name_or_default());
        }
        if !is_shadow {
            return Err(rejected);
        }
        self.shadow_rejections.fetch_add(1, Relaxed);
        log::shadow_rejection(&rejected);
        Ok(())
    }

    /// Returns the state for a decision under settings with this pace.
    #[inline]
    fn view(&self, pace: Pace) -> View<'_> {
        match self.shared {
            None => View { gcra: &self.gcra, pace, share: None },
            Some(name) => self.view_of_share(name, pace),
        }
    }

    /// Returns the state for a decision under the settings in use.
    fn current_view(&self) -> View<'_> {
        self.view(self.current().pace)
    }

    #[inline(never)]
    fn view_of_share(&self, name: &'static str, pace: Pace) -> View<'_> {
        let share = self.share.get_or_init(|| RateShare::create(name, self.settings.pace, false));
        let terms = share.terms();
        let pace = pace.with_share(|width| terms.burst_part(width));
        View { gcra: share.gcra(), pace, share: Some(share) }
    }

    /// Takes the state of a shared limiter for a synchronization. Returns `None` for a limiter that
    /// is not shared, or that another synchronization has taken.
    #[doc(hidden)]
    pub fn claim_share(&self) -> Option<Arc<RateShare>> {
        let name = self.shared?;
        let mut is_new = false;
        let share = self.share.get_or_init(|| {
            is_new = true;
            RateShare::create(name, self.settings.pace, true)
        });
        (is_new || share.claim()).then(|| Arc::clone(share))
    }
}

/// Returns the permits of a call that a layer inside rejected before the body ran.
#[inline]
pub fn refund_rejected(limiter: &RateLimiter, taken: u32, signal: Option<&RejectionSignal>) {
    if is_rejected(signal) {
        limiter.settle(taken, 0);
    }
}

/// Corrects the cost of a call by its outcome. A call that a layer inside rejected costs nothing.
pub fn settle_call<O>(
    limiter: &RateLimiter,
    taken: u32,
    outcome: &O,
    actual: impl FnOnce(&O) -> u32,
    signal: Option<&RejectionSignal>,
) {
    let actual = if is_rejected(signal) { 0 } else { actual(outcome) };
    limiter.settle(taken, actual);
}

/// Returns whether a layer inside rejected the call before the body ran.
#[inline]
fn is_rejected(signal: Option<&RejectionSignal>) -> bool {
    let class = signal.and_then(RejectionSignal::class);
    class.is_some_and(|class| class.effect == Effect::NotSent)
}

/// The answer to a call that may wait.
enum Admission {
    Now,
    Queued(Queued),
}

limiter!(RateLimiter, "rate_limit");

#[cfg(not(resilience_loom))]
impl TestReset for RateLimiter {
    fn fresh(&self) -> Self {
        let Self { settings, name, shared, .. } = *self;
        let fresh = Self::new(settings.rate, settings.per);
        let (key, figures) = (self.key.clone(), self.figures.fresh());
        Self { settings, name, key, figures, shared, ..fresh }
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { rate, per, burst, wait, .. } = &*self.live.last(&self.settings);
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

impl KeyedPolicy for RateLimiter {
    const POLICY: &'static str = "rate_limit";

    fn is_stale(&self, now: Timestamp) -> bool {
        self.gcra.is_at_rest(now.word())
    }

    fn policy_name(&self) -> &'static str {
        self.name_or_default()
    }

    fn or_name(self, name: &'static str) -> Self {
        let depth = self.figures.depth;
        self.at(name, depth)
    }

    fn with_key_label(mut self, label: KeyLabel) -> Self {
        self.key = Some(label);
        self
    }

    fn with_record(mut self, record: Arc<Record>) -> Self {
        self.figures = self.figures.of_table(record);
        self
    }

    fn key_label(&self) -> Option<&KeyLabel> {
        self.key.as_ref()
    }
}
