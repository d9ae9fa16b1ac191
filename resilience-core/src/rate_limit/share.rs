//! The share of one limiter in a rate that the limiters of several processes use together.
//!
//! A synchronization task outside of this crate leases the shares. At each moment the leased shares
//! of a rate add up to at most one.

use core::fmt;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::{AcqRel, Relaxed};
use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::gcra::Gcra;
use super::pace::Pace;
use super::share_clock::{ShareClock, Terms, WHOLE};
use crate::clock::{Timestamp, now};
use crate::log;
use crate::notify::{Notified, Notifier};
use crate::sync::Tally;
use resilience_rules::rate_limit as rules;

/// Told about new shares.
static REQUESTS: Notifier = Notifier::new();

static SHARES: Mutex<Vec<Weak<RateShare>>> = Mutex::new(Vec::new());

/// The state of a shared limiter.
pub struct RateShare {
    name: &'static str,
    /// The pace of the whole rate.
    pace: Pace,
    clock: ShareClock,
    gcra: Gcra,
    /// The permits that calls have asked for, admitted or not, since the last
    /// [demand](Self::demand).
    asked: Tally,
    is_synchronized: AtomicBool,
    has_warned: AtomicBool,
    /// Held while the terms change.
    changing: Mutex<()>,
}

/// A share for some time, and the share afterwards, in billionths of the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareTerms {
    /// The share until the end.
    pub share: u32,
    /// The end.
    pub end: Timestamp,
    /// The share after the end.
    pub afterwards: u32,
}

/// Converts a share, rounded down, so that a sum of shares is at most one.
fn fixed(share: u32) -> u64 {
    ((u64::from(share) << 32) / u64::from(rules::WHOLE_SHARE)).min(WHOLE)
}

impl RateShare {
    /// Creates the state. Without a synchronization the limiter has the whole rate. With a
    /// synchronization the limiter has one permit until the first lease: a fleet that starts, or a
    /// process that restarts again and again, gets no bursts.
    pub(super) fn create(name: &'static str, pace: Pace, is_synchronized: bool) -> Arc<Self> {
        let start = now().word();
        let whole = Terms {
            start,
            reading: start,
            share: WHOLE,
            end: u64::MAX,
            afterwards: WHOLE,
            burst_share: WHOLE,
        };
        let terms = if is_synchronized || REQUESTS.has_listener() {
            let end = now().plus(rules::SHARE_START).word();
            Terms { share: 0, end, burst_share: 0, ..whole }
        } else {
            whole
        };
        let share = Arc::new(Self {
            name,
            pace,
            clock: ShareClock::new(terms),
            gcra: Gcra::new(),
            asked: Tally::new(0),
            is_synchronized: AtomicBool::new(is_synchronized),
            has_warned: AtomicBool::new(false),
            changing: Mutex::new(()),
        });
        let mut shares = SHARES.lock().unwrap_or_else(PoisonError::into_inner);
        shares.retain(|other| other.strong_count() > 0);
        shares.push(Arc::downgrade(&share));
        drop(shares);
        REQUESTS.notify();
        share
    }

    pub(super) fn gcra(&self) -> &Gcra {
        &self.gcra
    }

    pub(super) fn terms(&self) -> Terms {
        self.clock.terms()
    }

    /// Returns whether a full burst is available.
    pub(super) fn is_at_rest(&self, now: Timestamp) -> bool {
        self.gcra.is_at_rest(self.clock.terms().at(now.word()))
    }

    /// Counts permits that a call asks for.
    pub(super) fn count(&self, cost: u32) {
        self.asked.fetch_add(u64::from(cost), Relaxed);
    }

    /// Warns once about a limiter without a synchronization.
    pub(super) fn warn_if_unsynchronized(&self, name: &str) {
        if !REQUESTS.has_listener() && !self.has_warned.swap(true, Relaxed) {
            log::rate_unsynchronized(name);
        }
    }

    /// Returns the name of the rate.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the time between two calls at the whole rate.
    #[must_use]
    pub fn interval(&self) -> Duration {
        Duration::from_nanos(self.pace.interval)
    }

    /// Returns the number of permits that calls have asked for since the last request, and of
    /// permits that calls are waiting for.
    pub fn demand(&self) -> u64 {
        self.asked.swap(0, Relaxed).saturating_add(self.gcra.waiting(self.pace))
    }

    /// Takes this state for a synchronization. Returns `false` if another synchronization has the
    /// state.
    pub(super) fn claim(&self) -> bool {
        !self.is_synchronized.swap(true, AcqRel)
    }

    /// Returns the state to other synchronizations.
    pub fn release(&self) {
        self.is_synchronized.store(false, Relaxed);
        REQUESTS.notify();
    }

    /// Changes the share from now on. The calls that are possible at once do not become more: a
    /// larger burst fills at the rate of the share.
    pub fn apply(&self, terms: ShareTerms) {
        let changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.clock.terms();
        let start = now().word();
        let reading = old.at(start);
        let share = fixed(terms.share);
        let afterwards = fixed(terms.afterwards);
        let end = terms.end.word().max(start);
        let new = Terms { start, reading, share, end, afterwards, burst_share: share };
        let tolerance = |terms: Terms| self.pace.with_share(|width| terms.burst_part(width));
        let more = tolerance(new).tolerance.saturating_sub(tolerance(old).tolerance);
        if more > 0 {
            self.gcra.charge(more, || reading);
        }
        self.clock.set(new);
        let is_faster = share > old.share || end > old.end || afterwards > old.afterwards;
        drop(changing);
        if is_faster {
            self.gcra.restart_timers(tolerance(new), || self.clock.terms().at(now().word()));
        }
    }
}

/// Takes the shared limiters of this process that no synchronization has taken.
#[must_use]
pub fn rate_shares() -> Vec<Arc<RateShare>> {
    let shares = SHARES.lock().unwrap_or_else(PoisonError::into_inner);
    shares.iter().filter_map(Weak::upgrade).filter(|share| share.claim()).collect()
}

/// Starts to listen for the first calls of shared limiters.
pub fn rate_share_requests() -> Notified {
    REQUESTS.listen()
}

impl fmt::Debug for RateShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateShare")
            .field("name", &self.name)
            .field("terms", &self.clock.terms())
            .finish_non_exhaustive()
    }
}
