//! Cooldown of a host after a 429 or a 503, shared by all callers.

use core::time::Duration;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use resilience_core::__internal::{Delay, Timestamp, draw, now};
use resilience_core::{Rejected, RejectedKind};

use crate::classification::{HttpResponse, ServerDelay, Vendor};

/// Delays or rejects calls to a host after the host answers 429 or 503 with a delay.
///
/// Without a cooldown, every caller receives a 429 or a 503 separately. One `HostCooldown` serves
/// all hosts and can be a `static`. Call [`enter`](Self::enter) before each request and
/// [`observe`](Self::observe) after each response.
///
/// A waiting call waits until the time named by the host, plus a random part of up to a tenth of
/// the delay (at most 5 s). The random part spreads the callers.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use http::Response;
/// use resilience::Rejected;
/// use resilience::http::HostCooldown;
///
/// // A call to a cooling host is rejected without a wait.
/// static COOLDOWN: HostCooldown = HostCooldown::new().max_wait(Duration::ZERO);
///
/// fn send(_host: &str) -> Response<()> {
///     Response::builder().status(429).header("retry-after", "30").body(()).unwrap()
/// }
///
/// fn fetch(host: &str) -> Result<u16, Rejected> {
///     COOLDOWN.enter_blocking(host)?;
///     let response = send(host);
///     COOLDOWN.observe(host, &response);
///     Ok(response.status().as_u16())
/// }
///
/// assert_eq!(fetch("api.example"), Ok(429));
/// let rejected = fetch("api.example").unwrap_err(); // nothing was sent
/// assert!(rejected.retry_after() > Some(Duration::from_secs(29)));
/// assert!(fetch("other.example").is_ok());
/// ```
#[derive(Debug)]
#[must_use = "a cooldown has no effect without calls of `enter`"]
pub struct HostCooldown {
    name: &'static str,
    max_wait: Duration,
    max_cooldown: Duration,
    max_hosts: usize,
    vendor: Option<Vendor>,
    /// The number of cooling hosts. Zero spares most calls the lock.
    host_count: AtomicUsize,
    cooling: Mutex<Cooling>,
}

/// The cooling hosts, by name and by the end of the cooldown: a further host costs O(log n).
#[derive(Debug)]
struct Cooling {
    ends: BTreeMap<Arc<str>, Timestamp>,
    by_end: BTreeSet<(Timestamp, Arc<str>)>,
}

impl Cooling {
    const fn new() -> Self {
        Self { ends: BTreeMap::new(), by_end: BTreeSet::new() }
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn end_of(&self, host: &str) -> Option<Timestamp> {
        self.ends.get(host).copied()
    }

    #[cfg(feature = "tower")]
    fn last_end(&self) -> Option<Timestamp> {
        self.by_end.last().map(|(end, _)| *end)
    }

    /// Removes the hosts whose cooldown is over.
    fn expire(&mut self, now: Timestamp) {
        while self.by_end.first().is_some_and(|(end, _)| *end <= now) {
            self.remove_first();
        }
    }

    /// Removes the host with the earliest end.
    fn remove_first(&mut self) {
        if let Some((_, host)) = self.by_end.pop_first() {
            self.ends.remove(&host);
        }
    }

    fn insert(&mut self, host: &str, end: Timestamp) {
        let host: Arc<str> = host.into();
        if let Some(known) = self.ends.insert(Arc::clone(&host), end) {
            self.by_end.remove(&(known, Arc::clone(&host)));
        }
        self.by_end.insert((end, host));
    }

    fn clear(&mut self) {
        self.ends.clear();
        self.by_end.clear();
    }
}

/// The progress of one call in [`HostCooldown::enter`].
#[derive(Debug, Default)]
pub(crate) struct EnterState {
    waited: Duration,
    until: Option<Timestamp>,
}

impl HostCooldown {
    /// Creates a cooldown without cooling hosts.
    pub const fn new() -> Self {
        Self {
            name: "host cooldown",
            max_wait: Duration::from_secs(60),
            max_cooldown: Duration::from_secs(3600),
            max_hosts: 10_000,
            vendor: None,
            host_count: AtomicUsize::new(0),
            cooling: Mutex::new(Cooling::new()),
        }
    }

    /// Sets the name in rejections. Default: `"host cooldown"`.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Sets the longest total wait of a call. Default: 60 s.
    ///
    /// A call with a longer wait is rejected at once. With zero, every call to a cooling host is
    /// rejected.
    pub const fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = max_wait;
        self
    }

    /// Sets the longest cooldown of a host. Default: one hour, as a protection against a wrong
    /// header.
    pub const fn max_cooldown(mut self, max_cooldown: Duration) -> Self {
        self.max_cooldown = max_cooldown;
        self
    }

    /// Sets the number of hosts that can cool at the same time. Default: 10 000. Zero counts as 1.
    ///
    /// Above this number, the host with the earliest end is evicted.
    pub const fn max_hosts(mut self, max_hosts: usize) -> Self {
        self.max_hosts = max_hosts;
        self
    }

    /// Sets the called service, so that `X-RateLimit-*` headers count as well. Default: no
    /// service.
    pub const fn vendor(mut self, vendor: Vendor) -> Self {
        self.vendor = Some(vendor);
        self
    }

    /// Waits until the cooldown of the host ends.
    ///
    /// `host` is the scope of the limit, usually host and port. Case does not matter.
    ///
    /// # Errors
    /// [`Rejected`] with the kind [`RateLimited`](RejectedKind::RateLimited) and the remaining
    /// time, if the wait is longer than [`max_wait`](Self::max_wait).
    pub async fn enter(&self, host: &str) -> Result<(), Rejected> {
        let mut state = EnterState::default();
        while let Some(delay) = self.next_delay(host, &mut state)? {
            delay.wait().await;
        }
        Ok(())
    }

    /// Blocks the thread until the cooldown of the host ends.
    ///
    /// # Errors
    /// [`Rejected`], as for [`enter`](Self::enter).
    pub fn enter_blocking(&self, host: &str) -> Result<(), Rejected> {
        let mut state = EnterState::default();
        while let Some(delay) = self.next_delay(host, &mut state)? {
            delay.block();
        }
        Ok(())
    }

    /// Starts a cooldown if the response is a 429 or a 503 with a delay, or reports an exhausted
    /// limit of the [`vendor`](Self::vendor).
    ///
    /// Returns whether a cooldown started. Any other response changes nothing.
    pub fn observe<R: HttpResponse + ?Sized>(&self, host: &str, response: &R) -> bool {
        let limit_statuses = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
        let status = response.status();
        let is_vendor_limit = |vendor: Vendor| vendor.is_rate_limit_status(status.as_u16());
        if !limit_statuses.contains(&status) && !self.vendor.is_some_and(is_vendor_limit) {
            return false;
        }
        let delay = ServerDelay::read(response.headers(), self.vendor).delay();
        delay.is_some_and(|delay| self.start(host, delay))
    }

    /// Starts a cooldown of the host, or extends a shorter cooldown.
    ///
    /// Returns `false` for a delay of zero, and starts no cooldown.
    pub fn start(&self, host: &str, delay: Duration) -> bool {
        let delay = delay.min(self.max_cooldown);
        if delay.is_zero() {
            return false;
        }
        let now = now();
        let until = now.plus(delay);
        let mut cooling = self.lock();
        cooling.expire(now);
        let host = normalize_host(host);
        let known = cooling.end_of(&host);
        if known.is_none() && cooling.len() >= self.max_hosts.max(1) {
            cooling.remove_first();
        }
        if known.is_none_or(|known| known < until) {
            cooling.insert(&host, until);
        }
        self.host_count.store(cooling.len(), Ordering::Release);
        true
    }

    /// Returns the remaining cooldown of a host, or `None` for a host without a cooldown.
    #[must_use]
    pub fn remaining(&self, host: &str) -> Option<Duration> {
        let until = self.cooldown_end(host)?;
        let left = until.since(now());
        (!left.is_zero()).then_some(left)
    }

    /// Ends the cooldown of every host.
    pub fn clear(&self) {
        let mut cooling = self.lock();
        cooling.clear();
        // Under the lock: a cooldown that starts now must not be hidden.
        self.host_count.store(0, Ordering::Release);
    }

    /// Returns the next delay of a call, or `None` if the call can proceed.
    pub(crate) fn next_delay(
        &self,
        host: &str,
        state: &mut EnterState,
    ) -> Result<Option<Delay>, Rejected> {
        let Some(until) = self.cooldown_end(host) else { return Ok(None) };
        let left = until.since(now());
        // The wait for this end is over, even if a test has skipped the wait.
        if left.is_zero() || state.until == Some(until) {
            return Ok(None);
        }
        let total = state.waited.saturating_add(left);
        if total > self.max_wait {
            return Err(Rejected::new(RejectedKind::RateLimited, self.name, Some(left)));
        }
        *state = EnterState { waited: total, until: Some(until) };
        let spread = (left / 10).min(Duration::from_secs(5)).mul_f64(draw());
        Ok(Some(Delay::start(left.saturating_add(spread)).0))
    }

    fn cooldown_end(&self, host: &str) -> Option<Timestamp> {
        if self.host_count.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.lock().end_of(&normalize_host(host))
    }

    /// Returns whether any host cools.
    #[cfg(feature = "tower")]
    pub(crate) fn is_any_cooling(&self) -> bool {
        if self.host_count.load(Ordering::Acquire) == 0 {
            return false;
        }
        let now = now();
        let mut cooling = self.lock();
        if cooling.last_end().is_some_and(|end| end > now) {
            return true;
        }
        cooling.clear();
        self.host_count.store(0, Ordering::Release);
        false
    }

    fn lock(&self) -> MutexGuard<'_, Cooling> {
        self.cooling.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for HostCooldown {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the host in lower case.
pub(crate) fn normalize_host(host: &str) -> Cow<'_, str> {
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}
