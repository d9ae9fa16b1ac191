//! The generic cell rate algorithm (GCRA): an atomic word with the theoretical arrival time of the
//! next call at the steady rate, and a line of waiting calls under a lock. A call is admitted if
//! the call is early by at most a burst.
//!
//! A call that need not wait takes its positions by a single compare-and-swap of the word, without
//! the lock. The end of the line is always later than the positions of waiting calls, so such a
//! call overtakes no waiting call.

use core::num::NonZeroU64;
use core::sync::atomic::Ordering;
use core::task::Waker;
use std::sync::OnceLock;

use super::Extra;
use super::line::{Line, Wakers};
use super::pace::{Grant, Pace, Queued, Request, saturated};
use super::queue::Queue;
use super::spans::Span;
use crate::sync::{AtomicU64, MutexGuard, const_fn, lock};
use crate::waiters::WaiterId;

#[derive(Debug)]
pub(super) struct Gcra {
    /// The theoretical arrival time: the end of the line; zero at rest.
    word: AtomicU64,
    /// Allocated for the first waiting call, dropped reservation or raised cost, and for the
    /// [`Extra`] state.
    rare: OnceLock<Box<Rare>>,
}

/// The rarely needed state, in one place, so that a limiter for a key stays small.
#[derive(Debug)]
struct Rare {
    queue: Queue,
    extra: Extra,
}

/// A call whose turn has not come: the word and the time, which is never zero, so that an optional
/// value travels in two registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missed {
    word: u64,
    now: NonZeroU64,
}

impl Gcra {
    const_fn! {
        pub(super) fn new() -> Self {
            Self { word: AtomicU64::new(0), rare: OnceLock::new() }
        }
    }

    /// Starts a call if the turn has come. Otherwise returns the time until the turn, and changes
    /// nothing.
    pub(super) fn try_acquire(
        &self,
        pace: &Pace,
        width: u64,
        now: impl Fn() -> u64,
    ) -> Result<(), u64> {
        self.start_at_end(pace, width, &now)
            .or_else(|missed| self.acquire_missed(pace, width, missed, now))
    }

    /// Starts a call that may wait, if the turn has come. Returns `false` if the call has to
    /// [queue](Self::acquire_or_queue).
    #[inline]
    pub(super) fn try_start(&self, pace: &Pace, width: u64, now: impl Fn() -> u64) -> bool {
        let has_kept_turns = |queue: &Queue| queue.kept_until.load(Ordering::Relaxed) != 0;
        !self.queue_if_needed().is_some_and(has_kept_turns)
            && self.start_at_end(pace, width, now).is_ok()
    }

    /// Takes positions at the end of the line for a call that starts now.
    ///
    /// The end of the line is at most the tolerance ahead then, so a clock that went back needs no
    /// correction.
    #[inline]
    pub(super) fn start_at_end(
        &self,
        pace: &Pace,
        width: u64,
        now: impl Fn() -> u64,
    ) -> Result<(), Missed> {
        // Read before the word: the compiler reads a field again after an atomic operation.
        let Pace { interval, tolerance, .. } = *pace;
        let beyond_first = width.saturating_sub(interval);
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            // Read after the word: the clock is never behind the call that wrote the word, unless
            // the clock went back.
            let now = now();
            let base = word.max(now);
            let early = (base - now).saturating_add(beyond_first);
            let end = base.saturating_add(width);
            // At the end of the clock no further call fits.
            if early > tolerance || end == base {
                return Err(Missed { word, now: NonZeroU64::new(now).unwrap_or(NonZeroU64::MIN) });
            }
            match self.swap(word, end) {
                Ok(()) => return Ok(()),
                Err(other) => word = other,
            }
        }
    }

    /// Returns the time until the turn, if the end of the line alone decides: no call has waited in
    /// the line, and the clock did not go back.
    #[inline]
    pub(super) fn left_at_end(&self, pace: &Pace, width: u64, missed: Missed) -> Option<u64> {
        let (word, now) = (missed.word, missed.now.get());
        if self.rare.get().is_some() || pace.corrected(word, now).is_some() {
            return None;
        }
        Some(pace.turn_from(word.max(now), width).saturating_sub(now))
    }

    /// Looks for a free position, and returns the time until the turn otherwise.
    #[inline]
    pub(super) fn acquire_missed(
        &self,
        pace: &Pace,
        width: u64,
        Missed { word, now: at }: Missed,
        now: impl Fn() -> u64,
    ) -> Result<(), u64> {
        let at = at.get();
        if self.has_holes() || pace.corrected(word, at).is_some() {
            return self.acquire_by_line(*pace, width, now);
        }
        pace.place(word.max(at), at, width, 0).map(|_| ())
    }

    /// Takes free positions in front of the end, or restarts the line after the clock went back.
    #[cold]
    fn acquire_by_line(&self, pace: Pace, width: u64, now: impl Fn() -> u64) -> Result<(), u64> {
        let request = Request { pace, width, wait: 0 };
        if self.has_holes() {
            return self.acquire_or_queue(request, Waker::noop().clone(), now).map(|_| ());
        }
        self.take_end(request, now).map(|_| ())
    }

    /// Takes the next positions for a fixed time, at most a wait away. Otherwise returns the time
    /// until a call need not wait, and changes nothing.
    pub(super) fn reserve(&self, request: Request, now: impl Fn() -> u64) -> Result<Grant, u64> {
        if let Some(queue) = self.queue_if_needed().filter(|queue| queue.has_holes()) {
            let Request { pace, width, wait } = request;
            let mut line = lock(&queue.line);
            let at = now();
            let latest = at.saturating_add(wait);
            let hole = line.reserve(pace, width, at, latest);
            queue.publish(&line);
            if let Some(span) = hole {
                let turn = pace.turn(span.end).max(at);
                let timeline = queue.timeline();
                return Ok(Grant { turn, must_wait: turn > at, span, timeline });
            }
        }
        self.take_end(request, now)
    }

    /// Takes positions at the end of the line, by the atomic word alone.
    pub(super) fn take_end(&self, request: Request, now: impl Fn() -> u64) -> Result<Grant, u64> {
        let Request { pace, width, wait } = request;
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            let now = now();
            if self.corrected(pace, word, now).is_some() {
                let queue = self.queue();
                self.correct(queue, &mut lock(&queue.line), pace, now);
                word = self.word.load(Ordering::Acquire);
                continue;
            }
            let (turn, span) = pace.place(word.max(now), now, width, wait)?;
            // Read before the swap: with an earlier number the grant returns no positions.
            let timeline = self.queue_if_needed().map_or(0, Queue::timeline);
            match self.swap(word, span.end) {
                Ok(()) => return Ok(Grant { turn, must_wait: turn > now, span, timeline }),
                Err(other) => word = other,
            }
        }
    }

    /// Starts a call if the turn has come, or joins the line if the turn is at most a wait away.
    /// Otherwise returns the time until the turn, and changes nothing.
    pub(super) fn acquire_or_queue(
        &self,
        request: Request,
        waker: Waker,
        now: impl Fn() -> u64,
    ) -> Result<Option<Queued>, u64> {
        let Request { pace, width, wait } = request;
        let mut wakers = Wakers::default();
        let queue = self.queue();
        let mut line = lock(&queue.line);
        let result = loop {
            let word = self.word.load(Ordering::Acquire);
            let now = now();
            if self.corrected(pace, word, now).is_some() {
                self.correct(queue, &mut line, pace, now);
                continue;
            }
            queue.give_turns(&mut line, pace, now, None, &mut wakers);
            let end = queue.end(pace, word, now);
            let plan = line.plan(pace, width, end, now);
            let turn = plan.turn.max(now);
            let starts = turn == now && !line.has_waiters();
            let fits = plan.missing == 0 || plan.end > end;
            if turn - now > wait || !fits || (wait == 0 && !starts) {
                break Err(turn - now);
            }
            if plan.missing > 0 {
                if wait > pace.longest_wait {
                    // A caller with more patience than the limiter allows.
                    queue.furthest.fetch_max(plan.end, Ordering::Relaxed);
                }
                if self.swap(word, plan.end).is_err() {
                    continue;
                }
            }
            break Ok(if starts {
                line.start_now(width, plan);
                None
            } else {
                Some(Queued { id: line.join(width, plan, turn, waker), turn })
            });
        };
        queue.publish(&line);
        drop(line);
        wakers.wake();
        result
    }

    /// Returns `None` if the waiting call has its turn. Otherwise stores the waker, and returns
    /// the time until which the call sleeps.
    pub(super) fn poll(
        &self,
        pace: Pace,
        id: WaiterId,
        waker: Waker,
        now: impl Fn() -> u64,
    ) -> Option<u64> {
        self.change(pace, Some(id), now, |line, now, wakers| {
            if line.take_turn(id) { None } else { line.rearm(pace, id, waker, now, wakers) }
        })?
    }

    /// Starts a waiting call, whether or not the turn has come: the wait is over.
    pub(super) fn start(&self, pace: Pace, id: WaiterId, now: impl Fn() -> u64) {
        self.change(pace, Some(id), now, |line, _, wakers| line.start_early(id, wakers));
    }

    /// Removes a waiting call that does not start. The calls behind move up.
    pub(super) fn leave(&self, pace: Pace, id: WaiterId, now: impl Fn() -> u64) {
        self.change(pace, Some(id), now, |line, _, wakers| line.leave(id, wakers));
    }

    /// Returns an unused reservation. Other calls may have the positions of an earlier time line.
    pub(super) fn release(&self, pace: Pace, grant: Grant, now: impl Fn() -> u64) {
        // A limiter without waiting calls has no line yet, and needs a line for the hole.
        let queue = self.queue();
        self.change(pace, None, now, |line, _, _| {
            if grant.timeline == queue.timeline() {
                line.free(grant.span);
            }
        });
    }

    /// Returns positions of started calls: the calls cost less than they took.
    pub(super) fn refund(&self, pace: Pace, width: u64, now: impl Fn() -> u64) {
        let moved = self.change(pace, None, now, |line, _, _| line.move_up(width));
        if moved != Some(true) {
            self.update(|word| word.saturating_sub(width));
        }
    }

    /// Takes more positions for started calls: the calls cost more than they took. The waiting
    /// calls move back.
    pub(super) fn charge(&self, width: u64, now: impl Fn() -> u64) {
        let queue = self.queue();
        let mut line = lock(&queue.line);
        let now = now();
        let start = self.update(|word| word.max(now).saturating_add(width)).max(now);
        let end = start.saturating_add(width);
        queue.furthest.fetch_max(end, Ordering::Relaxed);
        line.move_back(Span { start, end });
        self.shorten(&mut line);
        queue.publish(&line);
    }

    /// Keeps the used part of the burst under another pace. Calls that wait keep their order, and
    /// get their turns at the new pace.
    ///
    /// `refreshed` returns the old and the new pace. Runs under the lock of the line, so that one
    /// of several calls at the same time applies the change.
    pub(super) fn rescale(&self, refreshed: impl FnOnce() -> (Pace, Pace), now: impl Fn() -> u64) {
        let line = lock(&self.queue().line);
        let (old, new) = refreshed();
        let now = now();
        // The burst is full at rest.
        if old == new || self.is_at_rest(now) {
            return;
        }
        let scaled = |width: u64| {
            let width = u128::from(width) * u128::from(new.interval);
            saturated(width / u128::from(old.interval), u64::MAX)
        };
        // No call waits longer than for a used-up burst.
        let most = new.tolerance.saturating_add(new.interval);
        self.replan(line, now, scaled, |start| {
            let ahead = scaled(start.saturating_sub(now)).min(most);
            if start <= now { start } else { now.saturating_add(ahead) }
        });
    }

    /// Moves the end of the line, and the waiting calls in front of the end: `start` returns the
    /// first free position behind the started calls, and `scaled` the width of a waiting call.
    fn replan(
        &self,
        mut line: MutexGuard<'_, Line>,
        now: u64,
        scaled: impl Fn(u64) -> u64,
        start: impl Fn(u64) -> u64,
    ) {
        let mut wakers = Wakers::default();
        let queue = self.queue();
        if line.has_waiters() {
            let first = line.first_position().unwrap_or(now);
            let start = start(first);
            let waiting = line.move_to(start, &scaled);
            // Reservations keep positions behind the waiting calls.
            let end =
                |word: u64| waiting.max(start.saturating_add(scaled(word.saturating_sub(first))));
            let word = self.update(end);
            queue.furthest.fetch_max(end(word), Ordering::Relaxed);
            line.restart_timers(&mut wakers);
        } else {
            let word = self.update(&start);
            line.move_to(start(word), &scaled);
        }
        queue.start_timeline();
        queue.publish(&line);
        drop(line);
        wakers.wake();
    }

    /// Takes all permits, also those of dropped reservations.
    pub(super) fn drain(&self, pace: Pace, now: impl Fn() -> u64) {
        let queue = self.queue();
        let mut line = lock(&queue.line);
        let used_up = now().saturating_add(pace.burst());
        self.update(|word| word.max(used_up));
        line.expire_holes(pace, used_up);
        queue.publish(&line);
    }

    /// Returns all permits. Calls that wait take the permits first.
    pub(super) fn fill(&self, now: impl Fn() -> u64) {
        let line = lock(&self.queue().line);
        let now = now();
        self.replan(line, now, |width| width, |start| start.min(now));
    }

    /// Returns the number of calls that would be admitted at once.
    pub(super) fn available(&self, pace: Pace, now: u64) -> u32 {
        let ahead = self.word.load(Ordering::Acquire).saturating_sub(now);
        let at_the_end = match pace.tolerance.checked_sub(ahead) {
            Some(early) => (early / pace.interval).saturating_add(1),
            None => 0,
        };
        let queue = self.queue_if_needed().filter(|queue| queue.has_holes());
        let in_holes = queue.map_or(0, |queue| queue.ready_in_holes(pace, now));
        u32::try_from(at_the_end.saturating_add(in_holes)).unwrap_or(u32::MAX)
    }

    /// Returns the number of waiting calls.
    pub(super) fn queued(&self) -> usize {
        self.queue_if_needed().map_or(0, |queue| lock(&queue.line).queued())
    }

    /// Returns the number of permits that calls are waiting for.
    pub(super) fn waiting(&self, pace: Pace) -> u64 {
        self.queue_if_needed().map_or(0, |queue| lock(&queue.line).waiting_width() / pace.interval)
    }

    /// Makes all waiting calls compute their timers again: turns come earlier.
    pub(super) fn restart_timers(&self, pace: Pace, now: impl Fn() -> u64) {
        self.change(pace, None, now, |line, _, wakers| line.restart_timers(wakers));
    }

    /// Returns whether the limiter is at rest: a full burst is available.
    pub(super) fn is_at_rest(&self, now: u64) -> bool {
        self.word.load(Ordering::Acquire) <= now
    }

    /// Changes the line under the lock, gives the turns that are due, and frees the end of the
    /// line. Wakers run after the lock is released.
    fn change<T>(
        &self,
        pace: Pace,
        polled: Option<WaiterId>,
        now: impl Fn() -> u64,
        change: impl FnOnce(&mut Line, u64, &mut Wakers) -> T,
    ) -> Option<T> {
        let queue = self.queue_if_needed()?;
        let mut wakers = Wakers::default();
        let mut line = lock(&queue.line);
        let now = now();
        queue.give_turns(&mut line, pace, now, polled, &mut wakers);
        let result = change(&mut line, now, &mut wakers);
        self.shorten(&mut line);
        queue.give_turns(&mut line, pace, now, None, &mut wakers);
        queue.publish(&line);
        drop(line);
        wakers.wake();
        Some(result)
    }

    /// Moves the end of the line back over the holes at the end.
    fn shorten(&self, line: &mut Line) {
        while let Some(hole) = line.last_hole() {
            if self.swap(hole.end, hole.start).is_err() {
                break;
            }
            line.remove_hole(hole);
        }
    }

    fn corrected(&self, pace: Pace, word: u64, now: u64) -> Option<u64> {
        let corrected = pace.corrected(word, now)?;
        let furthest = |queue: &Queue| queue.furthest.load(Ordering::Relaxed);
        let furthest = self.queue_if_needed().map_or(0, furthest);
        (word > furthest).then_some(corrected)
    }

    /// Starts the line again after the clock went back.
    #[cold]
    fn correct(&self, queue: &Queue, line: &mut Line, pace: Pace, now: u64) {
        let word = self.word.load(Ordering::Acquire);
        if let Some(start) = self.corrected(pace, word, now) {
            let end = start.saturating_add(line.waiting_width());
            if self.swap(word, end).is_ok() {
                line.move_to(start, |width| width);
                // The waiting calls are further ahead than any wait, and need no correction.
                queue.furthest.store(end, Ordering::Relaxed);
                queue.start_timeline();
                queue.publish(line);
            }
        }
    }

    /// Returns the rarely needed state, allocated at the first use.
    fn rare(&self) -> &Rare {
        self.rare.get_or_init(|| Box::new(Rare { queue: Queue::new(), extra: Extra::new() }))
    }

    fn queue(&self) -> &Queue {
        &self.rare().queue
    }

    #[inline]
    fn queue_if_needed(&self) -> Option<&Queue> {
        self.rare.get().map(|rare| &rare.queue)
    }

    pub(super) fn extra(&self) -> &Extra {
        &self.rare().extra
    }

    #[inline]
    pub(super) fn extra_if_needed(&self) -> Option<&Extra> {
        self.rare.get().map(|rare| &rare.extra)
    }

    fn has_holes(&self) -> bool {
        self.queue_if_needed().is_some_and(Queue::has_holes)
    }

    /// Returns the word before the update.
    fn update(&self, next: impl Fn(u64) -> u64) -> u64 {
        let mut word = self.word.load(Ordering::Acquire);
        while let Err(other) = self.swap(word, next(word)) {
            word = other;
        }
        word
    }

    #[inline]
    fn swap(&self, word: u64, next: u64) -> Result<(), u64> {
        let swapped = self.word.compare_exchange(word, next, Ordering::AcqRel, Ordering::Acquire);
        swapped.map(drop)
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use core::time::Duration;

    use super::super::pace::{KEPT_NANOS, MAX_NANOS};
    use super::*;

    fn request(pace: Pace, wait: u64) -> Request {
        Request { pace, width: pace.interval, wait }
    }

    #[test]
    fn a_clock_that_goes_back_costs_at_most_a_burst() {
        let pace = Pace::new(1, Duration::from_nanos(10), 3, Duration::ZERO);
        let gcra = Gcra::new();
        let at = |now| gcra.try_acquire(&pace, pace.interval, || now);
        assert_eq!(at(1_000_000), Ok(()));
        // By a little: the debt stays.
        assert_eq!((at(999_990), at(999_990)), (Ok(()), Err(10)));
        // By a lot: the wait is one interval, not a million nanoseconds.
        assert_eq!(at(100), Err(10));
        assert_eq!((at(110), at(110)), (Ok(()), Err(10)));
        assert_eq!(gcra.available(pace, 1_000_000), 3);
    }

    #[test]
    fn the_end_of_the_clock_admits_no_call() {
        for (rate, per, burst) in [(1, Duration::MAX, 9), (u32::MAX, Duration::ZERO, u32::MAX)] {
            let (pace, gcra) = (Pace::new(rate, per, burst, Duration::MAX), Gcra::new());
            let at = |now| gcra.reserve(request(pace, MAX_NANOS), || now).is_ok();
            let calls = (0..9).filter(|_| at(u64::MAX - 2)).count();
            assert!(calls <= 3, "{calls}");
            assert!(!at(u64::MAX));
        }
    }

    #[test]
    fn a_late_waiter_keeps_the_turns_of_the_last_milliseconds_only() {
        let pace = Pace::new(1, Duration::from_micros(1), 1, Duration::from_micros(5));
        let late_by = |late: u64| {
            let gcra = Gcra::new();
            assert_eq!(gcra.try_acquire(&pace, pace.interval, || 1_000_000), Ok(()));
            let waker = Waker::noop().clone();
            let queued = gcra.acquire_or_queue(request(pace, 5000), waker, || 1_000_000);
            let Ok(Some(Queued { id, turn: 1_001_000 })) = queued else { panic!("{queued:?}") };
            let now = 1_001_000 + late;
            assert_eq!(gcra.poll(pace, id, Waker::noop().clone(), || now), None);
            let start = || gcra.acquire_or_queue(request(pace, 0), Waker::noop().clone(), || now);
            (0..100_000).take_while(|_| start().is_ok()).count()
        };
        assert_eq!((late_by(0), late_by(1000), late_by(5500)), (0, 1, 5));
        assert_eq!(late_by(KEPT_NANOS), 10_000);
        // Older turns are lost, as after any rest.
        assert_eq!(late_by(KEPT_NANOS + 1001), 1);
    }
}
