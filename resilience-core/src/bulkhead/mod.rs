//! A limit to how many calls run at once.

mod acquire;
mod places;

use core::fmt;
use core::future::Future;
use core::time::Duration;

pub use self::acquire::{BulkheadAcquire, BulkheadPermit};
use self::places::Places;
#[cfg(not(resilience_loom))]
use crate::function_state::TestReset;
use crate::keyed::Forgettable;
use crate::outcome::Outcome;
use crate::rejected::{FromRejected, Rejected, RejectedKind, reject};
use crate::switch::is_enabled;
use resilience_rules::{InvalidPolicy, bulkhead as rules};

/// Lets a limited number of calls run at once, so that one slow dependency cannot take every thread,
/// connection or byte of memory with it.
///
/// When it is full, a further call is rejected at once. With [`queue`](Self::queue) or
/// [`wait`](Self::wait) it may wait its turn: first come, first served, over blocked threads and
/// waiting tasks alike, and a new call never overtakes one that waits.
///
/// Built by `const fn`, so that one can stand in a `static`. Any value is accepted and no input
/// panics: a `max` of 0 counts as 1, and [`validate`](Self::validate) says so. While nobody waits it
/// allocates nothing.
///
/// ```
/// # extern crate resilience_core as resilience;
/// use resilience::{Bulkhead, Rejected, RejectedKind};
///
/// static REPORTS: Bulkhead = Bulkhead::new(2).name("reports");
///
/// let render = || REPORTS.call(|| Ok::<_, Rejected>("a report"));
/// assert_eq!(render(), Ok("a report"));
///
/// // With both permits taken a call is turned away, and runs again when one is back.
/// let (first, _second) = (REPORTS.try_acquire()?, REPORTS.try_acquire()?);
/// assert_eq!(render().unwrap_err().kind(), RejectedKind::BulkheadFull);
/// drop(first);
/// assert_eq!(render(), Ok("a report"));
/// # Ok::<(), Rejected>(())
/// ```
#[must_use = "a bulkhead limits only what is run under it"]
pub struct Bulkhead {
    max: u32,
    queue: Option<u32>,
    wait: Option<Duration>,
    name: Option<&'static str>,
    places: Places,
}

impl Bulkhead {
    /// At most `max` calls at once, and no queue. Zero counts as 1.
    #[cfg(not(resilience_loom))]
    pub const fn new(max: u32) -> Self {
        Self { max, queue: None, wait: None, name: None, places: Places::new() }
    }

    /// At most so many calls wait when it is full; the next is rejected. Default: none, or where a
    /// [`wait`](Self::wait) is set, any number. Zero leaves no place to wait.
    pub const fn queue(mut self, queue: u32) -> Self {
        self.queue = Some(queue);
        self
    }

    /// A call waits at most this long when it is full, and is then rejected. Default: where a
    /// [`queue`](Self::queue) is set, as long as it takes; else not at all. Zero is no wait.
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// The name in rejections. Default: `"bulkhead"`.
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
    /// use resilience::Bulkhead;
    ///
    /// assert!(Bulkhead::new(10).queue(20).validate().is_ok());
    /// let error = Bulkhead::new(0).validate().unwrap_err();
    /// assert_eq!(error.to_string(), "`max` must be at least 1, or no call could run");
    /// ```
    ///
    /// # Errors
    /// [`InvalidPolicy`]: a `max` of zero; a queue in which nobody may wait, or a wait for which there
    /// is no place.
    pub const fn validate(&self) -> Result<(), InvalidPolicy> {
        if let Err(broken) = rules::max(self.max) {
            return Err(broken);
        }
        match (self.queue, self.wait) {
            (Some(queue), Some(wait)) => rules::queue_and_wait(queue, wait),
            _ => Ok(()),
        }
    }

    /// Takes a permit if one is free; never waits.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
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
    /// [`Rejected`] where all permits are out, or others wait for one.
    #[inline]
    pub fn try_acquire(&self) -> Result<BulkheadPermit<'_>, Rejected> {
        if !is_enabled() {
            return Ok(BulkheadPermit::uncounted());
        }
        if self.places.try_enter(self.max()) {
            return Ok(BulkheadPermit::of(self));
        }
        Err(self.rejected())
    }

    /// Takes a permit; where there is none, blocks the thread as long as the limits of the queue
    /// allow.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use core::time::Duration;
    /// use resilience::{Bulkhead, testing};
    ///
    /// static BULKHEAD: Bulkhead = Bulkhead::new(1).wait(Duration::from_secs(2));
    ///
    /// let _permit = BULKHEAD.acquire_blocking()?;
    /// let clock = testing::clock();
    /// assert!(BULKHEAD.acquire_blocking().is_err()); // nobody gave the permit back
    /// assert_eq!(clock.elapsed(), Duration::from_secs(2)); // of virtual time
    /// # Ok::<(), resilience::Rejected>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] where there is neither a permit nor a place to wait, or the time to wait is over.
    #[inline]
    pub fn acquire_blocking(&self) -> Result<BulkheadPermit<'_>, Rejected> {
        self.at_once().unwrap_or_else(|| acquire::block(self))
    }

    /// Takes a permit; where there is none, waits as long as the limits of the queue allow.
    ///
    /// Dropped while it waits, it leaves the queue; a permit that it has just been handed goes to the
    /// next.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use resilience::Bulkhead;
    ///
    /// static BULKHEAD: Bulkhead = Bulkhead::new(1).queue(10);
    ///
    /// # #[cfg(feature = "tokio")]
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let permit = BULKHEAD.acquire().await?;
    /// assert_eq!(BULKHEAD.running(), 1);
    /// drop(permit);
    /// # Ok::<(), resilience::Rejected>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Its output is [`Rejected`] where there is neither a permit nor a place to wait, or the time to
    /// wait is over.
    #[inline]
    pub fn acquire(&self) -> BulkheadAcquire<'_> {
        BulkheadAcquire::new(self)
    }

    /// Calls `body` under a permit, for which it may [block](Self::acquire_blocking) the thread; a
    /// rejection becomes an outcome of the call.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use resilience::Bulkhead;
    ///
    /// static BULKHEAD: Bulkhead = Bulkhead::new(10);
    ///
    /// assert_eq!(BULKHEAD.call(|| Some(7)), Some(7));
    /// ```
    pub fn call<O>(&self, body: impl FnOnce() -> O) -> O
    where
        O: Outcome<Err: FromRejected>,
    {
        match self.acquire_blocking() {
            Ok(_permit) => body(),
            Err(rejected) => reject(rejected),
        }
    }

    /// Awaits `body` under a permit, for which it may [wait](Self::acquire); a rejection becomes an
    /// outcome of the call.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use resilience::{Bulkhead, Rejected};
    ///
    /// static BULKHEAD: Bulkhead = Bulkhead::new(10);
    ///
    /// # #[cfg(feature = "tokio")]
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let answer: Result<u32, Rejected> = BULKHEAD.call_async(async { Ok(7) }).await;
    /// assert_eq!(answer, Ok(7));
    /// # });
    /// ```
    pub async fn call_async<O>(&self, body: impl Future<Output = O>) -> O
    where
        O: Outcome<Err: FromRejected>,
    {
        match self.acquire().await {
            Ok(_permit) => body.await,
            Err(rejected) => reject(rejected),
        }
    }

    /// How many permits are out: calls that run, and calls that have just been handed theirs.
    #[must_use]
    pub fn running(&self) -> u32 {
        self.places.running()
    }

    /// How many calls wait.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.places.waiting()
    }

    /// A permit, or a rejection where nobody may wait.
    #[inline]
    fn at_once(&self) -> Option<Result<BulkheadPermit<'_>, Rejected>> {
        match self.try_acquire() {
            Err(_) if self.places() > 0 => None,
            answer => Some(answer),
        }
    }

    #[inline]
    fn max(&self) -> u32 {
        self.max.max(1)
    }

    /// How many calls may wait.
    fn places(&self) -> usize {
        match (self.queue, self.wait) {
            (_, Some(Duration::ZERO)) | (None, None) => 0,
            (None, Some(_)) => usize::MAX,
            (Some(queue), _) => usize::try_from(queue).unwrap_or(usize::MAX),
        }
    }

    #[cold]
    fn rejected(&self) -> Rejected {
        Rejected::new(RejectedKind::BulkheadFull, self.name.unwrap_or("bulkhead"), None)
    }
}

#[cfg(not(resilience_loom))]
impl TestReset for Bulkhead {
    fn fresh(&self) -> Self {
        let Self { max, queue, wait, name, .. } = *self;
        Self { max, queue, wait, name, places: Places::new() }
    }
}

impl AsRef<Bulkhead> for Bulkhead {
    fn as_ref(&self) -> &Bulkhead {
        self
    }
}

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { max, queue, wait, name, .. } = self;
        f.debug_struct("Bulkhead")
            .field("name", &name.unwrap_or("bulkhead"))
            .field("max", max)
            .field("queue", queue)
            .field("wait", wait)
            .field("running", &self.running())
            .field("queued", &self.queued())
            .finish()
    }
}

impl Forgettable for Bulkhead {
    fn is_as_new(&self) -> bool {
        self.running() == 0 && self.queued() == 0
    }
}
