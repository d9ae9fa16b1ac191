//! A limiter of this process, with its lease.
//!
//! The sum of the shares that members use is at most the rate, at each moment:
//!
//! - A smaller share applies here before the store learns of it, and a larger share after the store
//!   has granted it.
//! - The length of a lease counts from before the request here, and from after it in the store. So
//!   the lease ends here first.
//! - After an outage, members that have not reached the store yet use equal shares. So a member
//!   that returns uses at most an equal share until all others have returned.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use resilience_core::__internal::{RateShare, ShareTerms, Timestamp, now};

use super::answer_limit::AnswerLimit;
use super::fair_share::fair_share;
use super::lease_store::{Lease, LeaseRequest, LeaseStore, MemberId, Share};

pub(super) struct LeasedRate {
    share: Arc<RateShare>,
    member: MemberId,
    demand: Demand,
    others: Vec<Share>,
    /// The share in use.
    used: Share,
    /// The time of the takeover.
    start: Timestamp,
    /// The time of the last request.
    requested: Option<Timestamp>,
    /// Whether a first answer of the store is expected.
    is_awaited: bool,
    /// The end of the lease, and its length.
    end: Timestamp,
    length: Duration,
    /// The number of members at the last exchange, or the expected number.
    members: u32,
    /// Whether the limiter uses an equal share without a lease.
    is_alone: bool,
    /// The end of the time in which the other members return after an outage.
    returning: Option<Timestamp>,
}

/// The lengths of a synchronization.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) interval: Duration,
    /// The longest wait for the first answer of a store.
    pub(super) first_answer: Duration,
    pub(super) lease: Duration,
    /// The lease from a slow store.
    pub(super) longest_lease: Duration,
    /// The longest time between the returns of two members after an outage.
    pub(super) returning: Duration,
}

impl LeasedRate {
    /// Takes over a limiter. The limiter keeps its permit, and gets no more until the first lease,
    /// or until the store has not answered in time.
    pub(super) fn new(share: Arc<RateShare>, expected: u32, timing: Timing) -> Self {
        let start = now();
        let rate = Self {
            share,
            member: MemberId::random(),
            demand: Demand { smoothed: 0.0, at: start },
            others: Vec::new(),
            used: Share::NONE,
            start,
            requested: None,
            is_awaited: true,
            end: start.plus(timing.first_answer),
            length: timing.lease,
            members: expected,
            is_alone: false,
            returning: None,
        };
        rate.apply();
        rate
    }

    /// Returns whether the application still has the limiter.
    pub(super) fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.share) > 1
    }

    /// Returns whether the lease is smaller than the fair share.
    pub(super) fn is_waiting(&self) -> bool {
        let wanted = self.wanted();
        self.used < wanted && !is_near(self.used, wanted)
    }

    /// Renews the lease. A second exchange follows if the demands of the others change the share.
    /// The second exchange also ends the long lease of a first request.
    pub(super) async fn exchange<S: LeaseStore>(
        &mut self,
        store: &mut S,
        limit: &mut AnswerLimit,
        timing: Timing,
    ) -> Result<(), String> {
        self.demand.measure(self.share.demand(), self.share.interval(), timing.interval);
        let is_first = self.requested.is_none();
        self.lease(store, limit, timing).await?;
        if is_first || !is_near(self.used, self.wanted()) {
            self.lease(store, limit, timing).await?;
        }
        Ok(())
    }

    /// Uses nothing while the limiters in front make their first requests: each may take as long as
    /// an answer and its repetition.
    pub(super) fn await_turn(&mut self, timing: Timing) {
        if self.is_awaited && self.requested.is_none() {
            self.end = now().plus(timing.first_answer.saturating_mul(2));
            self.apply();
        }
    }

    async fn lease<S: LeaseStore>(
        &mut self,
        store: &mut S,
        limit: &mut AnswerLimit,
        timing: Timing,
    ) -> Result<(), String> {
        if now() >= self.end {
            self.returning = Some(now().plus(timing.returning));
        }
        let wanted = self.wanted();
        let wanted = if is_near(self.used, wanted) { self.used } else { wanted };
        if wanted < self.used {
            self.used = wanted;
            self.apply();
        }
        let (demand, length) = (self.demand.share(), self.next_length(timing));
        let request = LeaseRequest { member: self.member, demand, wanted, length };
        if self.is_awaited && self.requested.is_none() {
            self.end = now().plus(timing.first_answer);
            self.apply();
        }
        self.requested = Some(now());
        let end = now().plus(length);
        let answer = store.lease(self.share.name(), request);
        let Lease { granted, others } = limit.wait(answer).await?;
        self.used = granted.min(wanted);
        (self.end, self.length) = (end, length);
        let members = u32::try_from(others.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.members = if self.is_returning() { self.members.max(members) } else { members };
        self.others = others;
        (self.is_alone, self.is_awaited) = (false, false);
        self.apply();
        Ok(())
    }

    /// Returns the length of a lease that lasts until the answer to the request after the next, if
    /// the requests come as slowly as the last two. For a first request the store may be slow.
    fn next_length(&self, timing: Timing) -> Duration {
        let length = match self.requested {
            Some(requested) => now().since(requested).saturating_mul(3),
            None => timing.longest_lease,
        };
        length.clamp(timing.lease, timing.longest_lease)
    }

    /// Continues without the store. After the end of the lease the limiter uses at most the share
    /// of an equal division. Other members may use larger shares until their leases end, at most a
    /// lease later. Then the limiter uses the share of an equal division.
    ///
    /// A first answer is no longer expected: the limiter uses the share of an equal division from
    /// the time on from which a lease could have ended.
    pub(super) fn fall_back(&mut self, timing: Timing) {
        if std::mem::take(&mut self.is_awaited) && self.is_first() {
            self.end = now().max(self.start.plus(timing.lease));
            self.apply();
        }
        let last_end = self.end.plus(self.length.max(timing.lease));
        if !self.is_alone && now() >= last_end {
            self.is_alone = true;
            self.used = self.equal_share();
            self.apply();
        }
    }

    fn wanted(&self) -> Share {
        let fair = fair_share(self.demand.share(), &self.others);
        if self.is_returning() { fair.min(self.equal_share()) } else { fair }
    }

    fn is_returning(&self) -> bool {
        self.returning.is_some_and(|end| now() < end)
    }

    fn equal_share(&self) -> Share {
        Share::from_billionths(Share::WHOLE.billionths() / self.members.max(1))
    }

    fn apply(&self) {
        let equal = self.equal_share();
        let afterwards = if self.is_first() { equal } else { self.used.min(equal) };
        self.share.apply(ShareTerms {
            share: self.used.billionths(),
            end: self.end,
            afterwards: afterwards.billionths(),
        });
    }

    /// Returns whether no lease was ever granted.
    fn is_first(&self) -> bool {
        self.others.is_empty() && self.used == Share::NONE
    }
}

impl Drop for LeasedRate {
    fn drop(&mut self) {
        self.share.release();
    }
}

/// Returns whether a share is close enough to another: small changes of the demand change no lease.
fn is_near(one: Share, other: Share) -> bool {
    let (one, other) = (one.billionths(), other.billionths());
    one.abs_diff(other) <= one.max(other) / 50
}

/// The recent demand of a limiter, as a part of the rate.
#[derive(Debug)]
struct Demand {
    smoothed: f64,
    at: Timestamp,
}

impl Demand {
    /// Adds the permits that calls have asked for since the last time. An earlier, higher demand
    /// halves within an interval, or within the time of a permit at the whole rate if longer.
    fn measure(&mut self, permits: u64, per_permit: Duration, interval: Duration) {
        let elapsed = now().since(self.at).max(Duration::from_millis(1));
        self.at = now();
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let asked = permits as f64 * per_permit.as_secs_f64();
        let current = asked / elapsed.max(interval / 4).as_secs_f64();
        let half_life = interval.max(per_permit).as_secs_f64();
        let earlier = self.smoothed * (-elapsed.as_secs_f64() / half_life).exp2();
        self.smoothed = current.max(earlier).min(1.0);
    }

    fn share(&self) -> Share {
        let whole = f64::from(Share::WHOLE.billionths());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between nothing and the whole"
        )]
        Share::from_billionths((self.smoothed * whole) as u32)
    }
}

impl fmt::Debug for LeasedRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeasedRate")
            .field("name", &self.share.name())
            .field("share", &self.used)
            .field("members", &self.members)
            .finish_non_exhaustive()
    }
}
