//! Bulkheads: limit the number of concurrent calls.

mod acquire;
mod permit;
mod report;
mod semaphore;
mod settings;

use core::convert::Infallible;
use core::fmt;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use std::sync::{Arc, OnceLock};

pub use self::acquire::BulkheadAcquire;
pub use self::permit::{BulkheadPermit, OwnedBulkheadPermit};
use self::semaphore::Semaphore;
use self::settings::Settings;
use crate::attempt_scope;
use crate::clock::Timestamp;
use crate::const_check::ensure;
use crate::context;
#[cfg(not(resilience_loom))]
use crate::function_state::TestReset;
use crate::keyed::{KeyLabel, KeyState, KeyedPolicy};
use crate::limiter::limiter;
use crate::log;
use crate::mode;
use crate::name;
use crate::registry::PolicyFigures;
use crate::registry::policy::{count_rejection, count_success};
use crate::rejected::{Rejected, RejectedKind};
use crate::settings::Live;
use crate::sync::Tally;
use resilience_rules::InvalidPolicy;

/// Limits the number of concurrent calls, so that a slow dependency cannot use up all threads,
/// connections or memory.
///
/// A full bulkhead rejects further calls at once. With [`queue`](Self::queue) or
/// [`wait`](Self::wait) calls wait for a permit, first come, first served. Blocked threads and
/// async tasks share the queue. A new call never overtakes a waiting call.
///
/// Built by `const fn`, so a bulkhead can be a `static`. Every value is accepted without a panic:
/// a `max` of 0 counts as 1, and [`validate`](Self::validate) reports the mistake. Allocates
/// memory for waiting calls only.
///
/// ```
/// use resilience::{Bulkhead, Rejected, RejectedKind};
///
/// static REPORTS: Bulkhead = Bulkhead::new(2).name("reports");
///
/// let render = || REPORTS.run(|| Ok::<_, Rejected>("a report"));
/// assert_eq!(render(), Ok("a report"));
///
/// // With both permits taken a call is rejected. A returned permit admits the next call.
/// let (first, _second) = (REPORTS.try_acquire()?, REPORTS.try_acquire()?);
/// assert_eq!(render().unwrap_err().kind(), RejectedKind::BulkheadFull);
/// drop(first);
/// assert_eq!(render(), Ok("a report"));
/// # Ok::<(), Rejected>(())
/// ```
///
/// Async calls wait without blocking the thread:
///
/// ```
/// use resilience::{Bulkhead, Rejected};
///
/// static UPLOADS: Bulkhead = Bulkhead::new(2).queue(10);
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let answer: Result<u32, Rejected> = UPLOADS.run_async(async { Ok(7) }).await;
/// assert_eq!(answer, Ok(7));
/// # });
/// ```
#[must_use = "a bulkhead does nothing until a call takes a permit"]
pub struct Bulkhead {
    /// The settings of the code.
    settings: Settings,
    /// The settings in use, if overridden.
    live: Live<Settings>,
    name: Option<&'static str>,
    key: Option<KeyLabel>,
    shadow_rejections: Tally,
    figures: PolicyFigures,
    semaphore: Semaphore,
}

impl Bulkhead {
    /// Creates a bulkhead for `max` concurrent calls, without a queue. Zero counts as 1.
    #[track_caller]
    #[cfg(not(resilience_loom))]
    pub const fn new(max: u32) -> Self {
        Self {
            settings: Settings::new(max),
            live: Live::new(),
            name: None,
            key: None,
            shadow_rejections: Tally::new(0),
            figures: PolicyFigures::new(),
            semaphore: Semaphore::new(),
        }
    }

    /// Sets the maximum number of concurrent calls, for settings per key. Zero counts as 1.
    pub const fn max(mut self, max: u32) -> Self {
        self.settings.max = max;
        self
    }

    /// Sets the number of calls that may wait; the next call is rejected. Default: 0, or unlimited
    /// if a [`wait`](Self::wait) is set. Zero allows no waiting.
    pub const fn queue(mut self, queue: u32) -> Self {
        self.settings.queue = Some(queue);
        self
    }

    /// Sets the longest wait of a call; after the wait the call is rejected. Default: unlimited if
    /// a [`queue`](Self::queue) is set, else no wait. Zero is no wait, and [`Duration::MAX`] is a
    /// wait without a limit.
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.settings.wait = Some(wait);
        self
    }

    /// Turns on shadow mode: the bulkhead decides, counts and logs, but every call runs at once. A
    /// call above the limit counts as running, and as a
    /// [shadow rejection](Self::shadow_rejections) if the queue would be full. For trying a limit
    /// in production.
    ///
    /// ```
    /// use resilience::Bulkhead;
    ///
    /// let bulkhead = Bulkhead::new(1).shadow();
    /// let permits = [bulkhead.try_acquire()?, bulkhead.try_acquire()?];
    /// assert_eq!((bulkhead.running(), bulkhead.shadow_rejections()), (2, 1));
    /// # drop(permits);
    /// # Ok::<(), resilience::Rejected>(())
    /// ```
    pub const fn shadow(mut self) -> Self {
        self.settings.shadow = true;
        self
    }

    /// Returns the first rule that the settings break. Use it for settings from a file; the
    /// attribute checks constants against the same rules at compile time.
    ///
    /// ```
    /// use resilience::Bulkhead;
    ///
    /// assert!(Bulkhead::new(10).queue(20).validate().is_ok());
    /// let error = Bulkhead::new(0).validate().unwrap_err();
    /// assert!(error.to_string().contains("`max`"));
    /// ```
    ///
    /// # Errors
    /// [`InvalidPolicy`]: a `max` of zero, a `queue` with a `wait` of zero, a `wait` with a `queue`
    /// of zero, a blank name or a name with `*`.
    pub const fn validate(&self) -> Result<(), InvalidPolicy> {
        ensure!(name::validate(self.name));
        self.settings.validate()
    }

    /// Takes a permit if available; never waits.
    ///
    /// ```
    /// use resilience::Bulkhead;
    ///
    /// let bulkhead = Bulkhead::new(1);
    /// let permit = bulkhead.try_acquire()?;
    /// assert!(bulkhead.try_acquire().is_err());
    /// drop(permit);
    /// assert!(bulkhead.try_acquire().is_ok());
    /// # Ok::<(), resilience::Rejected>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] if all permits are taken or other calls wait.
    #[inline]
    pub fn try_acquire(&self) -> Result<BulkheadPermit<'_>, Rejected> {
        if mode::is_plain() && self.semaphore.try_acquire(self.settings.limit()) {
            return Ok(BulkheadPermit::of(self));
        }
        self.acquire_or_reject()
    }

    #[cold]
    #[inline(never)]
    fn acquire_or_reject(&self) -> Result<BulkheadPermit<'_>, Rejected> {
        if mode::is_plain_and_counting() && self.semaphore.try_acquire(self.settings.limit()) {
            count_success(self);
            return Ok(BulkheadPermit::of(self));
        }
        self.try_permit().ok_or_else(|| self.rejected())
    }

    /// Takes a permit after a full bulkhead, or outside the normal mode. A refusal is no rejection
    /// yet: the call may wait.
    #[cold]
    #[inline(never)]
    fn try_permit(&self) -> Option<BulkheadPermit<'_>> {
        if mode::is_plain() {
            return self.settings.shadow.then(|| self.admit_in_shadow(&self.settings));
        }
        self.take_and_count()
    }

    /// Takes a permit if available, and counts the call, unless the policies are switched off.
    /// After the deadline of the call no permit is available.
    fn take_and_count(&self) -> Option<BulkheadPermit<'_>> {
        let settings = self.current();
        if !mode::is_enabled() || !settings.enabled {
            return Some(BulkheadPermit::uncounted());
        }
        let permit = if !settings.shadow && context::is_overdue() {
            return None;
        } else if self.semaphore.try_acquire(settings.limit()) {
            BulkheadPermit::of(self)
        } else if settings.shadow {
            self.admit_in_shadow(&settings)
        } else {
            return None;
        };
        count_success(self);
        Some(permit)
    }

    /// Admits a call above the limit, and reports the decision of the bulkhead.
    #[cold]
    fn admit_in_shadow(&self, settings: &Settings) -> BulkheadPermit<'_> {
        let running = self.semaphore.acquire_above_limit();
        let waiting = running.saturating_sub(settings.limit());
        let waiting = usize::try_from(waiting).unwrap_or(usize::MAX);
        if waiting >= settings.queue_capacity(0) {
            self.shadow_rejections.fetch_add(1, Relaxed);
            count_rejection(self, true);
            log::shadow_rejection(&self.full());
        }
        BulkheadPermit::of(self)
    }

    /// Takes a permit if available, as [`try_acquire`](Self::try_acquire) does. The permit can
    /// travel into a task or a response body.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use resilience::Bulkhead;
    ///
    /// let bulkhead = Arc::new(Bulkhead::new(1));
    /// let permit = Arc::clone(&bulkhead).try_acquire_owned()?;
    /// let worker = std::thread::spawn(move || drop(permit));
    /// worker.join().unwrap();
    /// assert_eq!(bulkhead.running(), 0);
    /// # Ok::<(), resilience::Rejected>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] if all permits are taken or other calls wait.
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedBulkheadPermit, Rejected> {
        self.try_acquire().map(|permit| OwnedBulkheadPermit::of(&self, permit))
    }

    /// Takes a permit, waiting as [`acquire`](Self::acquire) does. The permit can travel into a
    /// task or a response body.
    ///
    /// # Errors
    /// The output is [`Rejected`] if the queue is full or the waiting time ends.
    pub async fn acquire_owned(self: Arc<Self>) -> Result<OwnedBulkheadPermit, Rejected> {
        self.acquire().await.map(|permit| OwnedBulkheadPermit::of(&self, permit))
    }

    /// Takes a permit. If all permits are taken, blocks the thread within the limits of the queue.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::{Bulkhead, testing};
    ///
    /// static BULKHEAD: Bulkhead = Bulkhead::new(1).wait(Duration::from_secs(2));
    ///
    /// let _permit = BULKHEAD.acquire_blocking()?;
    /// let clock = testing::clock();
    /// assert!(BULKHEAD.acquire_blocking().is_err()); // the permit was not returned
    /// assert_eq!(clock.elapsed(), Duration::from_secs(2)); // virtual time
    /// # Ok::<(), resilience::Rejected>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] if the queue is full or the waiting time ends.
    #[inline]
    pub fn acquire_blocking(&self) -> Result<BulkheadPermit<'_>, Rejected> {
        self.acquire_blocking_by(None, 0)
    }

    /// Takes a permit as [`acquire_blocking`](Self::acquire_blocking), at most until `deadline`.
    /// The longest wait is the wait of the bulkhead, or `patience` nanoseconds if longer.
    /// `u64::MAX` is a wait without a limit, in a queue of any length.
    #[doc(hidden)]
    #[inline]
    pub fn acquire_blocking_by(
        &self,
        deadline: Option<Timestamp>,
        patience: u64,
    ) -> Result<BulkheadPermit<'_>, Rejected> {
        self.acquire_now(patience).unwrap_or_else(|| acquire::block(self, deadline, patience))
    }

    /// Takes a permit. If all permits are taken, waits within the limits of the queue.
    ///
    /// If dropped while waiting, the future leaves the queue, and a permit already assigned goes
    /// to the next waiter.
    ///
    /// ```
    /// use resilience::Bulkhead;
    ///
    /// static BULKHEAD: Bulkhead = Bulkhead::new(1).queue(10);
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let permit = BULKHEAD.acquire().await?;
    /// assert_eq!(BULKHEAD.running(), 1);
    /// drop(permit);
    /// # Ok::<(), resilience::Rejected>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The output is [`Rejected`] if the queue is full or the waiting time ends.
    #[inline]
    pub fn acquire(&self) -> BulkheadAcquire<'_> {
        self.acquire_by(None, 0)
    }

    /// Takes a permit as [`acquire`](Self::acquire), at most until `deadline`. The longest wait is
    /// the wait of the bulkhead, or `patience` nanoseconds if longer.
    #[doc(hidden)]
    #[inline]
    pub fn acquire_by(&self, deadline: Option<Timestamp>, patience: u64) -> BulkheadAcquire<'_> {
        BulkheadAcquire::new(self, deadline, patience)
    }

    /// Admits a call of a bulkhead that rejects no call: without a limit of queue and wait and
    /// without a deadline, or in shadow mode.
    ///
    /// # Errors
    /// Never fails.
    #[doc(hidden)]
    #[inline]
    pub fn admitted(
        result: Result<BulkheadPermit<'_>, Rejected>,
    ) -> Result<BulkheadPermit<'_>, Infallible> {
        // No rejection is possible, so the replacement is never used.
        Ok(result.unwrap_or_else(|_| BulkheadPermit::uncounted()))
    }

    /// Returns the number of permits in use, including permits assigned to waiters that have not
    /// run yet.
    #[must_use]
    pub fn running(&self) -> u32 {
        self.semaphore.running()
    }

    /// Returns the number of waiting calls.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.semaphore.waiting()
    }

    /// Returns the number of calls that the bulkhead would have rejected, if not in
    /// [shadow mode](Self::shadow).
    #[must_use]
    pub fn shadow_rejections(&self) -> u64 {
        self.shadow_rejections.load(Relaxed)
    }

    /// Returns whether a new call would have to wait, or be rejected.
    #[doc(hidden)]
    #[must_use]
    pub fn is_full(&self) -> bool {
        let settings = self.current();
        let is_strict = settings.enabled && !settings.shadow;
        is_strict && (self.running() >= settings.limit() || self.queued() > 0)
    }

    /// Returns a permit or a rejection, or `None` if the call may wait.
    #[inline]
    fn acquire_now(&self, patience: u64) -> Option<Result<BulkheadPermit<'_>, Rejected>> {
        if mode::is_plain() && self.semaphore.try_acquire(self.settings.limit()) {
            return Some(Ok(BulkheadPermit::of(self)));
        }
        match self.try_permit() {
            None if self.current().queue_capacity(attempt_scope::patience(patience)) > 0 => None,
            permit => Some(permit.ok_or_else(|| self.rejected())),
        }
    }

    /// Returns a permit, or passes the permit to the first waiter.
    #[inline]
    fn release(&self) {
        if self.semaphore.release() {
            self.hand_over();
        }
    }

    #[cold]
    fn hand_over(&self) {
        self.semaphore.grow(self.current().limit());
    }

    /// Rejects a call: after the deadline of the call, or for the limit.
    #[cold]
    fn rejected(&self) -> Rejected {
        self.overdue().unwrap_or_else(|| self.rejected_as_full())
    }

    #[cold]
    fn rejected_as_full(&self) -> Rejected {
        count_rejection(self, false);
        self.full()
    }

    fn full(&self) -> Rejected {
        self.rejection(RejectedKind::BulkheadFull, None)
    }
}

limiter!(Bulkhead, Bulkhead);

#[cfg(not(resilience_loom))]
impl TestReset for Bulkhead {
    fn fresh(&self) -> Self {
        let Self { settings, name, .. } = *self;
        let (key, figures) = (self.key.clone(), self.figures.fresh());
        Self { settings, name, key, figures, ..Self::new(settings.max) }
    }
}

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { max, queue, wait, .. } = &*self.live.last(&self.settings);
        f.debug_struct("Bulkhead")
            .field("name", &self.name_or_default())
            .field("max", max)
            .field("queue", queue)
            .field("wait", wait)
            .field("running", &self.running())
            .field("queued", &self.queued())
            .finish_non_exhaustive()
    }
}

impl KeyState for Bulkhead {
    fn is_stale(&self, _: Timestamp) -> bool {
        self.running() == 0 && self.queued() == 0
    }
}

impl KeyedPolicy for Bulkhead {
    type PerKey = Self;
    type Common = ();

    fn per_key(self, _: &OnceLock<()>) -> Self {
        self
    }

    fn or_name(self, name: &'static str) -> Self {
        let depth = self.figures.depth;
        self.at(name, depth)
    }

    fn parts(&mut self) -> (&mut PolicyFigures, &mut Option<KeyLabel>) {
        (&mut self.figures, &mut self.key)
    }
}
