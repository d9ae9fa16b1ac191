//! The decision about a call: admitted, queued or rejected.

use core::sync::atomic::Ordering::Relaxed;
use core::task::Waker;
use core::time::Duration;
use std::sync::Arc;

use super::gcra::Missed;
use super::pace::{Grant, MAX_NANOS, Pace, Queued};
use super::view::View;
use super::{Defined, Definition, RateLimiter, RateShare};
use crate::attempt_scope;
use crate::classify::Effect;
use crate::clock::{Timestamp, nanos, now, real_time};
use crate::context::{self, current};
use crate::log;
use crate::mode;
use crate::outcome::Outcome;
use crate::registry::policy::{count_rejection, count_success, counted_in_record};
use crate::rejected::{FromRejected, Rejected, RejectedKind, reject, rejected_outcome};
use crate::rejection_signal::RejectionSignal;
use crate::switch::is_enabled;
use crate::waiters::WaiterId;

/// The answer to a call that may wait.
pub(super) enum Admission {
    Now,
    Queued(Queued),
}

impl<D: Defined> RateLimiter<D> {
    /// Takes permits, if available.
    fn take(&self, view: View<'_>, cost: u32) -> Result<(), Rejected> {
        view.count(cost);
        let acquired = view.gcra.try_acquire(&view.pace, view.pace.width(cost), || view.now());
        acquired.or_else(|left| self.refuse(&view, cost, 0, left))
    }

    /// Takes a permit of an annotated function, or returns the outcome of the rejected call.
    ///
    /// The rejection is built in the place of the outcome: a rejection that is returned would be
    /// moved twice.
    ///
    /// # Errors
    /// The outcome of the rejection.
    #[doc(hidden)]
    #[inline]
    pub fn take_or<O, By>(&self, signal: Option<&RejectionSignal>) -> Result<(), O>
    where
        O: Outcome<Err: FromRejected<By>>,
    {
        self.take_plainly().or_else(|missed| self.take_missed_or(missed, signal))
    }

    /// Has few instructions beside a rejection without a further reader: the other calls, which
    /// need more registers, have a function of their own.
    #[cold]
    #[inline(never)]
    fn take_missed_or<O, By>(
        &self,
        missed: Option<Missed>,
        signal: Option<&RejectionSignal>,
    ) -> Result<(), O>
    where
        O: Outcome<Err: FromRejected<By>>,
    {
        let has_reader = signal.is_some() || log::may_report_rejections();
        if let Some(missed) = missed.filter(|_| !has_reader) {
            if let Some(left) = self.left_at_end(1, missed) {
                if counted_in_record(self) {
                    return Err(rejected_outcome(self.rejection_at_end(left, None)));
                }
            }
        }
        self.take_or_reject(missed, signal)
    }

    #[inline(never)]
    fn take_or_reject<O, By>(
        &self,
        missed: Option<Missed>,
        signal: Option<&RejectionSignal>,
    ) -> Result<(), O>
    where
        O: Outcome<Err: FromRejected<By>>,
    {
        let left = missed.and_then(|missed| self.left_at_end(1, missed));
        if let Some(left) = left.filter(|_| !log::may_report_rejections()) {
            count_rejection(self, false);
            let effect = signal.and_then(|signal| {
                signal.set_kind(RejectedKind::RateLimited, Some(Duration::from_nanos(left)));
                signal.effect_of_call(Effect::NotSent)
            });
            return Err(rejected_outcome(self.rejection_at_end(left, effect)));
        }
        let taken = match missed {
            Some(missed) => self.take_missed(1, missed),
            // Without a rejection to return, most often.
            None if self.starts_and_counts(1) => return Ok(()),
            None => self.take_and_count(1),
        };
        taken.map_err(|rejected| {
            reject(match signal {
                Some(signal) => signal.set(rejected),
                None => rejected,
            })
        })
    }

    /// Returns the time until the permits of a call that the end of the line alone rejects. More
    /// permits than a burst are never there at once, and take the longer way.
    #[inline]
    fn left_at_end(&self, cost: u32, missed: Missed) -> Option<u64> {
        let Definition { settings, .. } = self.definition();
        // A copy: the compiler reads a field again after an atomic operation.
        let pace = settings.pace;
        let width = pace.width(cost);
        if settings.shadow || width > pace.burst() {
            return None;
        }
        self.state.gcra.left_at_end(&pace, width, missed)
    }

    /// Returns the rejection of a call that the end of the line alone rejects.
    #[inline]
    fn rejection_at_end(&self, left: u64, effect: Option<Effect>) -> Rejected {
        let Definition { key, .. } = self.definition();
        Rejected::by_rate_limit(self.name_or_default(), left, key.as_ref(), effect)
    }

    /// Takes permits of a limiter without a share, after the end of the line was too far away.
    #[cold]
    #[inline(never)]
    pub(super) fn take_missed(&self, cost: u32, missed: Missed) -> Result<(), Rejected> {
        if let Some(left) = self.left_at_end(cost, missed) {
            count_rejection(self, false);
            return Err(self.rejection_at_end(left, None));
        }
        let view = self.view(self.definition().settings.pace);
        let width = view.pace.width(cost);
        let acquired = view.gcra.acquire_missed(&view.pace, width, missed, || view.now());
        acquired.or_else(|left| self.refuse(&view, cost, 0, left))
    }

    /// Takes permits in any mode of the process, and of a limiter with a share.
    #[inline(never)]
    pub(super) fn take_and_count(&self, cost: u32) -> Result<(), Rejected> {
        let settings = self.current();
        if !is_enabled() || !settings.enabled || cost == 0 {
            return Ok(());
        }
        if !settings.shadow {
            self.overdue().map_or(Ok(()), Err)?;
        }
        self.take(self.view(settings.pace), cost).inspect(|()| count_success(self))
    }

    /// Takes a permit in the normal mode of the process, if available at the end of the line. Runs
    /// no code of the user.
    ///
    /// # Errors
    /// `None` if another look has to decide.
    #[inline]
    pub(super) fn take_plainly(&self) -> Result<(), Option<Missed>> {
        let Definition { settings, shared, .. } = self.definition();
        let pace = &settings.pace;
        if !mode::is_plain() || shared.is_some() {
            return Err(None);
        }
        let started = self.state.gcra.start_at_end(pace, pace.width(1), || real_time().word());
        started.map_err(Some)
    }

    /// Takes permits without a wait, if possible.
    #[inline]
    pub(super) fn starts_at_once(&self, cost: u32) -> bool {
        let Definition { settings, shared, .. } = self.definition();
        if !mode::is_plain() || cost == 0 || shared.is_some() {
            return self.starts_and_counts(cost);
        }
        let pace = &settings.pace;
        self.state.gcra.try_start(pace, pace.width(cost), || real_time().word())
    }

    fn starts(view: View<'_>, cost: u32) -> bool {
        let starts = view.gcra.try_start(&view.pace, view.pace.width(cost), || view.now());
        if starts {
            view.count(cost);
        }
        starts
    }

    #[inline(never)]
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
    pub(super) fn admit(
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
        let longest = settings.pace.longest_wait.max(patience);
        if settings.shadow {
            let wait = view.within(settings.pace.longest_wait);
            let planned = view.gcra.reserve(view.request(cost, wait), || view.now());
            return planned
                .map(|_| Admission::Now)
                .or_else(|left| self.refuse(&view, cost, wait, left).map(|()| Admission::Now));
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
            Err(left) => self.refuse(&view, cost, wait, left).map(|()| Admission::Now),
        }
    }

    /// Returns `None` if the waiting call has its turn, and the time of the timer otherwise.
    pub(super) fn poll_turn(&self, id: WaiterId, waker: &Waker) -> Option<u64> {
        let view = self.current_view();
        let alarm = view.gcra.poll(view.pace, id, waker.clone(), || view.now())?;
        Some(view.time_of(alarm))
    }

    /// Returns whether calls wait under the settings in use. Moves the waiting calls if the pace
    /// has changed.
    pub(super) fn makes_calls_wait(&self) -> bool {
        let settings = self.current();
        settings.enabled && !settings.shadow
    }

    pub(super) fn start_early(&self, id: WaiterId) {
        let view = self.current_view();
        view.gcra.start(view.pace, id, || view.now());
    }

    pub(super) fn leave(&self, id: WaiterId) {
        let view = self.current_view();
        view.gcra.leave(view.pace, id, || view.now());
    }

    pub(super) fn release(&self, grant: Grant) {
        let view = self.current_view();
        view.gcra.release(view.pace, grant, || view.now());
    }

    /// Returns the time until a turn.
    pub(super) fn remaining(&self, turn: u64) -> Duration {
        Duration::from_nanos(self.current_view().time_of(turn).saturating_sub(now().word()))
    }

    /// Rejects a call, or reports the rejection in shadow mode.
    #[cold]
    pub(super) fn refuse(
        &self,
        view: &View<'_>,
        cost: u32,
        wait: u64,
        left: u64,
    ) -> Result<(), Rejected> {
        // The wait of a cost above the burst, at a limiter at rest.
        let above_burst = view.pace.width(cost).saturating_sub(view.pace.burst());
        let is_possible = above_burst <= wait;
        let retry_after = view.real_time(left).filter(|_| is_possible);
        let rejected = self.rejection(RejectedKind::RateLimited, retry_after);
        let is_shadow = self.last().shadow;
        count_rejection(self, is_shadow);
        if let Some(share) = view.share {
            share.warn_if_unsynchronized(self.name_or_default());
        }
        if !is_shadow {
            return Err(rejected);
        }
        self.state.gcra.extra().shadow_rejections.fetch_add(1, Relaxed);
        log::shadow_rejection(&rejected);
        Ok(())
    }

    /// Returns the state for a decision under settings with this pace.
    #[inline]
    pub(super) fn view(&self, pace: Pace) -> View<'_> {
        match self.definition().shared {
            None => View { gcra: &self.state.gcra, pace, share: None },
            Some(name) => self.view_of_share(name, pace),
        }
    }

    /// Returns the state for a decision under the settings in use.
    pub(super) fn current_view(&self) -> View<'_> {
        self.view(self.current().pace)
    }

    #[inline(never)]
    fn view_of_share(&self, name: &'static str, pace: Pace) -> View<'_> {
        let whole = self.definition().settings.pace;
        let share = &self.state.gcra.extra().share;
        let share = share.get_or_init(|| RateShare::create(name, whole, false));
        let terms = share.terms();
        let pace = pace.with_share(|width| terms.burst_part(width));
        View { gcra: share.gcra(), pace, share: Some(share) }
    }

    /// Takes the state of a shared limiter for a synchronization. Returns `None` for a limiter that
    /// is not shared, or that another synchronization has taken.
    #[doc(hidden)]
    pub fn claim_share(&self) -> Option<Arc<RateShare>> {
        let Definition { shared, settings, .. } = self.definition();
        let name = (*shared)?;
        let mut is_new = false;
        let share = self.state.gcra.extra().share.get_or_init(|| {
            is_new = true;
            RateShare::create(name, settings.pace, true)
        });
        (is_new || share.claim()).then(|| Arc::clone(share))
    }
}
