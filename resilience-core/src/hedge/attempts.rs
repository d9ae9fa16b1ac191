//! The attempts of a hedged call, which run at the same time in the task of the caller.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::{Hedge, Latencies};
use crate::budget::Spending;
use crate::classify::{FailureClass, FailureKind};
use crate::clock::{self, LimitTimer, Timestamp};
use crate::context;
use crate::event::{HedgeCause, HedgeEvent};
use crate::figures::table::slot;
use crate::lost_attempt;
use crate::mode;
use crate::rejection_signal::RejectionSignal;
use crate::switch;

pin_project! {
    /// The place of an attempt, pinned in the function of the user.
    pub struct HedgeSlot<F> {
        #[pin]
        future: Option<F>,
        // The first suspension, for a learned delay.
        started: Option<Timestamp>,
    }
}

impl<F> HedgeSlot<F> {
    /// Returns a slot without an attempt.
    #[must_use]
    pub const fn new() -> Self {
        Self { future: None, started: None }
    }

    fn is_running(self: &Pin<&mut Self>) -> bool {
        self.future.is_some()
    }
}

impl<F> Default for HedgeSlot<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F> fmt::Debug for HedgeSlot<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HedgeSlot").finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`hedge`].
    #[project = HedgingProjection]
    #[must_use]
    pub struct Hedging<'c, 's, F, O, M, C, H> {
        policy: &'c Hedge,
        latencies: Option<&'c Latencies>,
        spending: Spending<'c>,
        slots: &'s mut [Pin<&'c mut HedgeSlot<F>>],
        make: M,
        classify: C,
        hook: H,
        // The number of attempts so far.
        begun: usize,
        // No further attempt starts.
        stopped: bool,
        // The last failure of an attempt, while another attempt runs.
        failure: Option<(O, RejectionSignal)>,
        // Whether a failed attempt may have been applied.
        is_ambiguous: bool,
        #[pin]
        timer: Option<LimitTimer>,
    }
}

impl<F, O, M, C, H> fmt::Debug for Hedging<'_, '_, F, O, M, C, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hedging").finish_non_exhaustive()
    }
}

/// Runs an attempt of `make`, and further attempts while the first still runs: one for each slot
/// but the first.
///
/// `classify` returns the class of a failure, and `None` for a success. The first success or
/// permanent failure ends the call, and drops the other attempts. Otherwise the last failure does,
/// or the last failure of an attempt that may have been applied.
/// A transient failure starts the next attempt at once. A throttled failure and a local rejection
/// start no further attempt. A rejected attempt counts as no attempt.
#[inline]
pub fn hedge<'c, 's, F, O, M, C, H>(
    policy: &'c Hedge,
    latencies: Option<&'c Latencies>,
    spending: Spending<'c>,
    slots: &'s mut [Pin<&'c mut HedgeSlot<F>>],
    make: M,
    classify: C,
    hook: H,
) -> Hedging<'c, 's, F, O, M, C, H>
where
    F: Future<Output = (O, RejectionSignal)>,
    M: Fn() -> F,
    C: Fn(&O) -> Option<FailureClass>,
    H: FnMut(&HedgeEvent),
{
    let (failure, timer) = (None, None);
    Hedging {
        policy,
        latencies,
        spending,
        slots,
        make,
        classify,
        hook,
        begun: 0,
        stopped: false,
        failure,
        is_ambiguous: false,
        timer,
    }
}

impl<F, O, M, C, H> Future for Hedging<'_, '_, F, O, M, C, H>
where
    F: Future<Output = (O, RejectionSignal)>,
    M: Fn() -> F,
    C: Fn(&O) -> Option<FailureClass>,
    H: FnMut(&HedgeEvent),
{
    type Output = (O, RejectionSignal);

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if *this.begun == 0 {
            *this.begun = 1;
            begin(this.slots, 0, this.make);
        }
        let mut index = 0;
        loop {
            // An attempt that starts in this loop has the highest index, and is polled too.
            while index < *this.begun {
                let Poll::Ready(out) = poll_slot(this.slots, index, this.latencies.is_some(), cx)
                else {
                    index += 1;
                    continue;
                };
                let Some(class) = (this.classify)(&out.0) else {
                    succeed(this.slots, index, *this.latencies, this.policy, this.spending);
                    return Poll::Ready(out);
                };
                // The code of a layer inside that rejects calls knows better than the error.
                let class = out.1.class().unwrap_or(class);
                if let Some(out) = this.fail(index, class, out) {
                    return Poll::Ready(out);
                }
                index += 1;
            }
            if *this.stopped || index >= this.slots.len() {
                return Poll::Pending;
            }
            if this.timer.is_none() {
                let delay = this.policy.delay(*this.latencies);
                this.timer.set(Some(LimitTimer::start(delay, None)));
            }
            if let Some(timer) = this.timer.as_mut().as_pin_mut() {
                ready!(timer.poll(cx));
            }
            this.timer.set(None);
            if may_start(this.policy, this.spending, index) {
                this.policy.started(index, HedgeCause::Delay, this.hook);
                *this.begun += 1;
                begin(this.slots, index, this.make);
            } else {
                *this.stopped = true;
            }
        }
    }
}

impl<F, O, M, C, H> HedgingProjection<'_, '_, '_, F, O, M, C, H>
where
    M: Fn() -> F,
    H: FnMut(&HedgeEvent),
{
    /// Drops a failed attempt. Returns the outcome if the call ends.
    #[cold]
    #[inline(never)]
    fn fail(
        &mut self,
        index: usize,
        class: FailureClass,
        out: (O, RejectionSignal),
    ) -> Option<(O, RejectionSignal)> {
        if let Some(slot) = self.slots.get_mut(index) {
            stop(slot);
        }
        let is_other_running = self.slots.iter().any(HedgeSlot::is_running);
        *self.stopped |= class.is_rejection || class.kind != FailureKind::Transient;
        if class.is_rejection {
            if index > 0 {
                self.policy.site.count(slot::HEDGE_REJECTED);
                self.spending.cancel();
            }
            if is_other_running {
                return None;
            }
            self.policy.site.count(slot::FAILURE);
            // The failure of an attempt says more than the rejection of its hedge.
            return Some(self.failure.take().unwrap_or(out));
        }
        let is_ambiguous = !class.effect.is_not_applied();
        if class.kind == FailureKind::Permanent {
            if !is_ambiguous && (*self.is_ambiguous || is_other_running) {
                lost_attempt::report();
            }
            self.slots.iter_mut().for_each(stop);
            self.policy.site.count(slot::FAILURE);
            return Some(out);
        }
        let next = *self.begun;
        let starts = !*self.stopped
            && next < self.slots.len()
            && may_start(self.policy, self.spending, next);
        if !starts && !is_other_running {
            self.policy.site.count(slot::FAILURE);
            let earlier = self.failure.take_if(|_| *self.is_ambiguous && !is_ambiguous);
            return Some(earlier.unwrap_or(out));
        }
        // The failure of an attempt that may have been applied says more.
        if is_ambiguous || !*self.is_ambiguous {
            *self.failure = Some(out);
        }
        *self.is_ambiguous |= is_ambiguous;
        *self.stopped |= !starts;
        if starts {
            self.policy.started(next, HedgeCause::Failure, self.hook);
            *self.begun += 1;
            begin(self.slots, next, self.make);
            self.timer.set(None);
        }
        None
    }
}

/// Withdraws the cost of an attempt. Returns whether the attempt may start: not after the deadline
/// of the call.
#[cold]
fn may_start(policy: &Hedge, spending: &Spending<'_>, hedge: usize) -> bool {
    if !switch::is_enabled() || !policy.allows(hedge) || context::is_overdue() {
        return false;
    }
    let allowed = spending.withdraw(FailureKind::Transient);
    if allowed {
        // Not refunded when the call is dropped: the attempt starts now.
        spending.retrying();
    } else {
        policy.site.count(slot::HEDGE_OVER_BUDGET);
    }
    allowed
}

#[inline]
fn begin<F>(slots: &mut [Pin<&mut HedgeSlot<F>>], index: usize, make: &impl Fn() -> F) {
    if let Some(slot) = slots.get_mut(index) {
        slot.set(HedgeSlot { future: Some(make()), started: None });
    }
}

/// Polls an attempt. The time of an attempt starts with its first suspension, as the delay does, so
/// an attempt without a suspension reads no clock.
#[inline]
fn poll_slot<F: Future>(
    slots: &mut [Pin<&mut HedgeSlot<F>>],
    index: usize,
    is_timed: bool,
    cx: &mut Context<'_>,
) -> Poll<F::Output> {
    let Some(slot) = slots.get_mut(index) else { return Poll::Pending };
    let slot = slot.as_mut().project();
    let Some(future) = slot.future.as_pin_mut() else { return Poll::Pending };
    let out = future.poll(cx);
    if is_timed && out.is_pending() && slot.started.is_none() {
        *slot.started = Some(clock::now());
    }
    out
}

fn stop<F>(slot: &mut Pin<&mut HedgeSlot<F>>) {
    slot.as_mut().project().future.set(None);
}

/// Records the success of an attempt, and drops all attempts.
///
/// The latency is that of the oldest attempt that has not failed: of an attempt that lost, only a
/// lower bound is known.
#[inline]
fn succeed<F>(
    slots: &mut [Pin<&mut HedgeSlot<F>>],
    index: usize,
    latencies: Option<&Latencies>,
    policy: &Hedge,
    spending: &Spending<'_>,
) {
    if let Some(latencies) = latencies {
        let quantile = policy.settings.quantile;
        if index == 0 {
            let (time, end) = latency(slots.first().and_then(|slot| slot.started));
            latencies.record(time, end, quantile);
        } else {
            record_hedge(slots, index, latencies, quantile);
        }
    }
    if index > 0 {
        policy.site.count(slot::HEDGE_WINS);
    }
    if mode::is_counting() {
        policy.site.count_success();
    }
    spending.succeeded();
    slots.iter_mut().for_each(stop);
}

/// Records the success of a hedge.
#[cold]
fn record_hedge<F>(
    slots: &[Pin<&mut HedgeSlot<F>>],
    index: usize,
    latencies: &Latencies,
    quantile: u32,
) {
    let mut running = slots.iter().enumerate().filter(|(_, slot)| slot.is_running());
    let Some((oldest, slot)) = running.next() else { return };
    let (time, end) = latency(slot.started);
    if oldest == index {
        latencies.record(time, end, quantile);
    } else {
        latencies.record_lost(time, end, quantile);
    }
}

/// Returns the nanoseconds since the start of an attempt, and the time. An attempt that was ready
/// at its first poll has no start, and reads no clock.
#[inline]
fn latency(started: Option<Timestamp>) -> (u64, Option<Timestamp>) {
    let Some(started) = started else { return (0, None) };
    let end = clock::now();
    (end.word().saturating_sub(started.word()), Some(end))
}
