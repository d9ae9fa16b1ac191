//! One refusal of a host, obeyed by all who call it.

use core::time::Duration;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use resilience_core::__internal::{Delay, Timestamp, draw, now};
use resilience_core::{Rejected, RejectedKind};

use crate::response::HttpResponse;
use crate::retry_after::Asked;
use crate::vendor::Vendor;

/// Keeps calls away from a host that has said when to come back: after a 429 or 503 with a delay, the
/// others wait or stop, instead of each collecting a refusal of its own.
///
/// One serves all hosts, and may stand in a `static`. Ask it before a request and show it the response.
/// A call that has to wait does so until the time that the host named and a little longer, up to a
/// tenth of the wait and 5 s, so that not all come back at once.
///
/// ```
/// # extern crate resilience_core as resilience;
/// use core::time::Duration;
/// use http::Response;
/// use resilience::Rejected;
/// use resilience_http::HostCooldown;
///
/// static GATE: HostCooldown = HostCooldown::new().max_wait(Duration::ZERO); // stop and say so
///
/// fn fetch(host: &str) -> Result<u16, Rejected> {
///     GATE.enter_blocking(host)?;
///     let response = // … ask the host
/// #   Response::builder().status(429).header("retry-after", "30").body(()).unwrap();
///     GATE.observe(host, &response);
///     Ok(response.status().as_u16())
/// }
///
/// assert_eq!(fetch("api.example"), Ok(429));
/// let rejected = fetch("api.example").unwrap_err(); // the host was not asked
/// assert!(rejected.retry_after() > Some(Duration::from_secs(29)));
/// assert!(fetch("other.example").is_ok());
/// ```
#[derive(Debug)]
#[must_use = "a gate does nothing until somebody asks it"]
pub struct HostCooldown {
    name: &'static str,
    max_wait: Duration,
    max_hold: Duration,
    max_hosts: usize,
    vendor: Option<Vendor>,
    /// How many hosts are held, so that most calls take no lock.
    count: AtomicUsize,
    held: Mutex<BTreeMap<Box<str>, Timestamp>>,
}

/// How far one call has come at the gate.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    waited: Duration,
    until: Option<Timestamp>,
}

impl HostCooldown {
    /// A gate that is open for every host.
    pub const fn new() -> Self {
        Self {
            name: "host gate",
            max_wait: Duration::from_secs(60),
            max_hold: Duration::from_secs(3600),
            max_hosts: 10_000,
            vendor: None,
            count: AtomicUsize::new(0),
            held: Mutex::new(BTreeMap::new()),
        }
    }

    /// The name in rejections. Default: `"host gate"`.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// How long a call waits at most; one that would have to wait for longer is turned away at once.
    /// Default: 60 s. Zero turns every call away that would have to wait.
    pub const fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = max_wait;
        self
    }

    /// How long a host is kept closed at most, whatever it says. Default: one hour, so that a wrong header
    /// does not take a host away for years.
    pub const fn max_hold(mut self, max_hold: Duration) -> Self {
        self.max_hold = max_hold;
        self
    }

    /// How many hosts are kept closed at once at most; above that, the one that is open again first
    /// is let go. Default: 10 000. Zero counts as 1.
    pub const fn max_hosts(mut self, max_hosts: usize) -> Self {
        self.max_hosts = max_hosts;
        self
    }

    /// The service behind the hosts, whose `X-RateLimit-*` headers count as well. Default: none.
    pub const fn vendor(mut self, vendor: Vendor) -> Self {
        self.vendor = Some(vendor);
        self
    }

    /// WaitMode until the host may be asked. `host` is whatever the limit belongs to, usually the host
    /// and port; case does not matter.
    ///
    /// # Errors
    /// [`Rejected`], rate limited, with the time until then, where that is longer than `max_wait`.
    pub async fn enter(&self, host: &str) -> Result<(), Rejected> {
        let mut turn = Turn::default();
        while let Some(pause) = self.next(host, &mut turn)? {
            pause.wait().await;
        }
        Ok(())
    }

    /// The same, blocking the thread.
    ///
    /// # Errors
    /// As for [`enter`](Self::enter).
    pub fn enter_blocking(&self, host: &str) -> Result<(), Rejected> {
        let mut turn = Turn::default();
        while let Some(pause) = self.next(host, &mut turn)? {
            pause.block();
        }
        Ok(())
    }

    /// Learns from a response: a 429 or 503 that says when to come back closes the gate for its host
    /// until then. Any other changes nothing. Whether it did.
    pub fn observe<R: HttpResponse + ?Sized>(&self, host: &str, response: &R) -> bool {
        let refused = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
        let status = response.status();
        let limits = |vendor: Vendor| vendor.limits_by(status.as_u16());
        if !refused.contains(&status) && !self.vendor.is_some_and(limits) {
            return false;
        }
        let asked = Asked::read(response.headers(), self.vendor).delay();
        asked.is_some_and(|delay| self.hold(host, delay))
    }

    /// Closes the gate for a host, for so long from now. One that is closed for longer stays so. Whether
    /// the delay is one.
    pub fn hold(&self, host: &str, delay: Duration) -> bool {
        let delay = delay.min(self.max_hold);
        if delay.is_zero() {
            return false;
        }
        let now = now();
        let until = now.plus(delay);
        let mut held = self.lock();
        held.retain(|_, until| *until > now);
        let host = lower(host);
        if let Some(known) = held.get_mut(&*host) {
            *known = until.max(*known);
        } else {
            if held.len() >= self.max_hosts.max(1) {
                let first = held.iter().min_by_key(|(_, until)| **until);
                if let Some(first) = first.map(|(host, _)| host.clone()) {
                    held.remove(&first);
                }
            }
            held.insert(host.into(), until);
        }
        self.count.store(held.len(), Ordering::Release);
        true
    }

    /// How long the gate is still closed for a host; `None` where it is open.
    #[must_use]
    pub fn held(&self, host: &str) -> Option<Duration> {
        let until = self.until(host)?;
        let left = until.since(now());
        (!left.is_zero()).then_some(left)
    }

    /// Opens the gate for every host.
    pub fn open(&self) {
        self.lock().clear();
        self.count.store(0, Ordering::Release);
    }

    /// The next wait of a call; `None` where it may go.
    pub(crate) fn next(&self, host: &str, turn: &mut Turn) -> Result<Option<Delay>, Rejected> {
        let Some(until) = self.until(host) else { return Ok(None) };
        let left = until.since(now());
        // What has been waited for is over, even where a test has skipped the wait.
        if left.is_zero() || turn.until == Some(until) {
            return Ok(None);
        }
        let total = turn.waited.saturating_add(left);
        if total > self.max_wait {
            return Err(Rejected::new(RejectedKind::RateLimited, self.name, Some(left)));
        }
        *turn = Turn { waited: total, until: Some(until) };
        let spread = (left / 10).min(Duration::from_secs(5)).mul_f64(draw());
        Ok(Some(Delay::start(left.saturating_add(spread)).0))
    }

    fn until(&self, host: &str) -> Option<Timestamp> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.lock().get(&*lower(host)).copied()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Box<str>, Timestamp>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for HostCooldown {
    fn default() -> Self {
        Self::new()
    }
}

/// A host as it is known by.
pub(crate) fn lower(host: &str) -> Cow<'_, str> {
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}
