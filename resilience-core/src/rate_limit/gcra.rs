//! The generic cell rate algorithm (GCRA): an atomic word with the theoretical arrival time of the
//! next call at the steady rate, and a line of waiting calls under a lock. A call is admitted if
//! the call is early by at most a burst.
//!
//! A call that need not wait takes its positions by a single compare-and-swap of the word, without
//! the lock. The end of the line is always later than the positions of waiting calls, so such a
//! call overtakes no waiting call.

use core::sync::atomic::Ordering;
use core::task::Waker;
use core::time::Duration;

use super::line::{Line, Wakers};
use super::spans::Span;
use crate::sync::{AtomicU64, Mutex, MutexGuard, const_fn, lock};
use crate::waiters::WaiterId;

/// 146 years in nanoseconds: the limit of bursts and waits, so that additions do not overflow.
pub(super) const MAX_NANOS: u64 = 1 << 62;

/// The age of the oldest unused turn that a late waiter keeps, in nanoseconds. Timers are late:
/// tokio rounds up to milliseconds. Without the kept turns a single caller would get a turn per
/// wake-up instead of the rate.
const KEPT_NANOS: u64 = 10_000_000;

/// A rate in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// The time from call to call. Rounded up, so that the rate is never exceeded in the long run.
    interval: u64,
    /// How early a call of a burst may come.
    tolerance: u64,
    /// No call waits longer.
    longest_wait: u64,
    /// No call produces a word further ahead, except by a corrected cost.
    furthest: u64,
    /// The age of the oldest unused turn that a late waiter keeps.
    kept: u64,
}

/// An admitted call, with positions at the end of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    /// The time from which the call may start.
    pub(super) turn: u64,
    pub(super) must_wait: bool,
    /// The positions of the call.
    pub(super) span: Span,
}

/// A request for a turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) pace: Pace,
    /// The width of the positions: the cost in intervals.
    pub(super) width: u64,
    /// The longest wait of this call.
    pub(super) wait: u64,
}

/// A call that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Queued {
    pub(super) id: WaiterId,
    /// The time of the turn, if no call in front leaves.
    pub(super) turn: u64,
}

impl Pace {
    /// Creates a pace; zero counts as 1.
    pub(super) const fn new(rate: u32, per: Duration, burst: u32, wait: Duration) -> Self {
        let rate = if rate == 0 { 1 } else { rate as u128 };
        let interval = saturated(per.as_nanos().div_ceil(rate), u64::MAX);
        let interval = if interval == 0 { 1 } else { interval };
        let early = burst.saturating_sub(1) as u128 * interval as u128;
        let tolerance = saturated(early, MAX_NANOS);
        // `Duration::MAX` is a wait without a limit.
        let is_unlimited = wait.as_nanos() == Duration::MAX.as_nanos();
        let most = if is_unlimited { u64::MAX } else { MAX_NANOS };
        let longest_wait = saturated(wait.as_nanos(), most);
        let furthest = tolerance.saturating_add(interval).saturating_add(longest_wait);
        Self { interval, tolerance, longest_wait, furthest, kept: KEPT_NANOS }
    }

    /// Returns the pace of a process that holds a share of the burst, given as a function of
    /// widths.
    pub(super) fn with_share(self, share_of: impl Fn(u64) -> u64) -> Self {
        let burst = self.tolerance.saturating_add(self.interval);
        let tolerance = share_of(burst).saturating_sub(self.interval);
        Self { tolerance, kept: share_of(self.kept), ..self }
    }

    pub(super) const fn tolerance(self) -> u64 {
        self.tolerance
    }

    pub(super) const fn longest_wait(self) -> u64 {
        self.longest_wait
    }

    pub(super) const fn interval(self) -> u64 {
        self.interval
    }

    /// Returns the width of the positions of a call.
    #[inline]
    pub(super) const fn width(self, cost: u32) -> u64 {
        self.interval.saturating_mul(cost as u64)
    }

    /// Returns the turn of a call whose last position ends at `end`.
    pub(super) const fn turn(self, end: u64) -> u64 {
        end.saturating_sub(self.interval).saturating_sub(self.tolerance)
    }

    /// Returns the turn of a call with positions from `base` on. Exact also at the end of the
    /// clock.
    pub(super) const fn turn_from(self, base: u64, width: u64) -> u64 {
        let last = base.saturating_add(width.saturating_sub(self.interval));
        last.saturating_sub(self.tolerance)
    }

    /// Returns the grant of a call at `now` with positions from `base` on, or the time until a
    /// grant within `wait`.
    fn grant(self, base: u64, now: u64, width: u64, wait: u64) -> Result<Grant, u64> {
        let end = base.saturating_add(width);
        let turn = self.turn_from(base, width).max(now);
        let left = turn - now;
        // At the end of the clock no further call fits.
        if left > wait || end == base {
            return Err(left);
        }
        Ok(Grant { turn, must_wait: left > 0, span: Span { start: base, end } })
    }

    /// Returns the corrected word after the clock went back, where no call at `now` could have
    /// produced `word`: the word of a used-up burst.
    #[inline]
    fn corrected(self, word: u64, now: u64) -> Option<u64> {
        let is_possible = word <= now.saturating_add(self.furthest);
        let used_up = || now.saturating_add(self.tolerance).saturating_add(self.interval);
        (!is_possible).then(used_up)
    }
}

const fn saturated(nanos: u128, most: u64) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "compared above")]
    if nanos > most as u128 { most } else { nanos as u64 }
}

#[derive(Debug)]
pub(super) struct Gcra {
    /// The theoretical arrival time: the end of the line; zero at rest.
    word: AtomicU64,
    /// The waiting calls. Allocated for the first waiting call or dropped reservation.
    line: Mutex<Option<Box<Line>>>,
    /// Whether the line has free positions. Written under the lock.
    has_holes: AtomicU64,
    /// The time of the last turn that a waiter took late; zero if all turns since are used. Until
    /// then a caller was waiting, so earlier turns are not idle time.
    kept_until: AtomicU64,
    /// The latest word that a corrected cost, or a caller with more patience, has produced. Such a
    /// word can be further ahead than any wait.
    furthest: AtomicU64,
}

impl Gcra {
    const_fn! {
        pub(super) fn new() -> Self {
            Self {
                word: AtomicU64::new(0),
                line: Mutex::new(None),
                has_holes: AtomicU64::new(0),
                kept_until: AtomicU64::new(0),
                furthest: AtomicU64::new(0),
            }
        }
    }

    /// Starts a call if the turn has come. Otherwise returns the time until the turn, and changes
    /// nothing.
    #[inline]
    pub(super) fn try_acquire(&self, request: Request, now: impl Fn() -> u64) -> Result<(), u64> {
        let request = Request { wait: 0, ..request };
        match self.take_end(request, &now) {
            Err(_) if self.has_holes() => {
                self.acquire_or_queue(request, Waker::noop().clone(), now).map(|_| ())
            }
            answer => answer.map(|_| ()),
        }
    }

    /// Starts a call that may wait, if the turn has come. Returns `false` if the call has to
    /// [queue](Self::acquire_or_queue).
    #[inline]
    pub(super) fn try_start(&self, request: Request, now: impl Fn() -> u64) -> bool {
        self.kept_until.load(Ordering::Relaxed) == 0
            && self.take_end(Request { wait: 0, ..request }, now).is_ok()
    }

    /// Takes the next positions for a fixed time, at most a wait away. Otherwise returns the time
    /// until a call need not wait, and changes nothing.
    pub(super) fn reserve(&self, request: Request, now: impl Fn() -> u64) -> Result<Grant, u64> {
        if self.has_holes() {
            let Request { pace, width, wait } = request;
            let mut guard = lock(&self.line);
            let at = now();
            let latest = at.saturating_add(wait);
            let hole = guard.as_mut().and_then(|line| line.reserve(pace, width, at, latest));
            self.publish(guard.as_deref());
            if let Some(span) = hole {
                let turn = pace.turn(span.end).max(at);
                return Ok(Grant { turn, must_wait: turn > at, span });
            }
        }
        self.take_end(request, now)
    }

    /// Takes positions at the end of the line, by the atomic word alone.
    #[inline]
    fn take_end(&self, request: Request, now: impl Fn() -> u64) -> Result<Grant, u64> {
        let Request { pace, width, wait } = request;
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            // Read after the word: the clock is never behind the call that wrote the word, unless
            // the clock went back.
            let now = now();
            if self.corrected(pace, word, now).is_some() {
                let mut guard = self.line();
                self.correct(&mut guard, pace, now);
                word = self.word.load(Ordering::Acquire);
                continue;
            }
            let grant = pace.grant(word.max(now), now, width, wait)?;
            match self.swap(word, grant.span.end) {
                Ok(()) => return Ok(grant),
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
        let mut guard = self.line();
        let result = loop {
            let word = self.word.load(Ordering::Acquire);
            let now = now();
            if self.corrected(pace, word, now).is_some() {
                self.correct(&mut guard, pace, now);
                continue;
            }
            let Some(line) = guard.as_mut() else { break Err(0) };
            self.give_turns(line, pace, now, None, &mut wakers);
            let end = self.end(pace, word, now);
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
                    self.furthest.fetch_max(plan.end, Ordering::Relaxed);
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
        self.publish(guard.as_deref());
        drop(guard);
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

    /// Returns an unused reservation.
    pub(super) fn release(&self, pace: Pace, span: Span, now: impl Fn() -> u64) {
        // A limiter without waiting calls has no line yet, and needs a line for the hole.
        drop(self.line());
        self.change(pace, None, now, |line, _, _| line.free(span));
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
        let mut guard = self.line();
        let now = now();
        let start = self.update(|word| word.max(now).saturating_add(width)).max(now);
        let end = start.saturating_add(width);
        self.furthest.fetch_max(end, Ordering::Relaxed);
        if let Some(line) = guard.as_mut() {
            line.move_back(Span { start, end });
        }
    }

    /// Keeps the used part of the burst under another pace. Calls that wait keep their order, and
    /// get their turns at the new pace.
    pub(super) fn rescale(&self, old: Pace, new: Pace, now: impl Fn() -> u64) {
        let scaled = |width: u64| {
            let width = u128::from(width) * u128::from(new.interval);
            saturated(width / u128::from(old.interval), u64::MAX)
        };
        // No call waits longer than for a used-up burst.
        let most = new.tolerance.saturating_add(new.interval);
        self.replan(
            scaled,
            |start, now| {
                let ahead = scaled(start.saturating_sub(now)).min(most);
                if start <= now { start } else { now.saturating_add(ahead) }
            },
            now,
        );
    }

    /// Moves the end of the line, and the waiting calls in front of the end: `start` returns the
    /// first free position behind the started calls, and `scaled` the width of a waiting call.
    fn replan(
        &self,
        scaled: impl Fn(u64) -> u64,
        start: impl Fn(u64, u64) -> u64,
        now: impl Fn() -> u64,
    ) {
        let mut wakers = Wakers::default();
        let mut guard = lock(&self.line);
        let now = now();
        match guard.as_mut().filter(|line| line.has_waiters()) {
            None => {
                self.update(|word| start(word, now));
            }
            Some(line) => {
                let first = line.first_position().unwrap_or(now);
                let start = start(first, now);
                let waiting = line.move_to(start, &scaled);
                // Reservations keep positions behind the waiting calls.
                let end = |word: u64| {
                    waiting.max(start.saturating_add(scaled(word.saturating_sub(first))))
                };
                let word = self.update(end);
                self.furthest.fetch_max(end(word), Ordering::Relaxed);
                line.restart_timers(&mut wakers);
            }
        }
        self.publish(guard.as_deref());
        drop(guard);
        wakers.wake();
    }

    /// Takes all permits.
    pub(super) fn drain(&self, pace: Pace, now: impl Fn() -> u64) {
        let _guard = lock(&self.line);
        let used_up = now().saturating_add(pace.tolerance).saturating_add(pace.interval);
        self.update(|word| word.max(used_up));
    }

    /// Returns all permits. Calls that wait take the permits first.
    pub(super) fn fill(&self, now: impl Fn() -> u64) {
        self.replan(|width| width, u64::min, now);
    }

    /// Returns the number of calls that would be admitted at once.
    pub(super) fn available(&self, pace: Pace, now: u64) -> u32 {
        let ahead = self.word.load(Ordering::Acquire).saturating_sub(now);
        let at_the_end = match pace.tolerance.checked_sub(ahead) {
            Some(early) => (early / pace.interval).saturating_add(1),
            None => 0,
        };
        let in_holes = if self.has_holes() { self.ready_in_holes(pace, now) } else { 0 };
        u32::try_from(at_the_end.saturating_add(in_holes)).unwrap_or(u32::MAX)
    }

    #[cold]
    fn ready_in_holes(&self, pace: Pace, now: u64) -> u64 {
        let guard = lock(&self.line);
        let latest = now.saturating_add(pace.tolerance).saturating_add(pace.interval);
        let spans = guard.iter().flat_map(|line| line.holes().iter());
        spans.fold(0, |sum, Span { start, end }| {
            let missed = now.saturating_sub(start).div_ceil(pace.interval);
            let start = start.saturating_add(missed.saturating_mul(pace.interval));
            // A position counts if its start is at most `tolerance` ahead.
            let ready = end.min(latest).saturating_sub(start);
            sum.saturating_add(ready / pace.interval)
        })
    }

    /// Returns the number of waiting calls.
    pub(super) fn queued(&self) -> usize {
        lock(&self.line).as_ref().map_or(0, |line| line.queued())
    }

    /// Returns the number of permits that calls are waiting for.
    pub(super) fn waiting(&self, pace: Pace) -> u64 {
        let guard = lock(&self.line);
        guard.as_ref().map_or(0, |line| line.waiting_width() / pace.interval)
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
        let mut wakers = Wakers::default();
        let mut guard = lock(&self.line);
        let now = now();
        let line = guard.as_mut()?;
        self.give_turns(line, pace, now, polled, &mut wakers);
        let result = change(line, now, &mut wakers);
        self.shorten(line);
        self.give_turns(line, pace, now, None, &mut wakers);
        self.publish(guard.as_deref());
        drop(guard);
        wakers.wake();
        Some(result)
    }

    fn give_turns(
        &self,
        line: &mut Line,
        pace: Pace,
        now: u64,
        polled: Option<WaiterId>,
        wakers: &mut Wakers,
    ) {
        if line.give_turns(pace, now, polled, wakers) {
            self.kept_until.store(now, Ordering::Relaxed);
        }
    }

    /// Returns the start of the next positions at the end of the line.
    fn end(&self, pace: Pace, word: u64, now: u64) -> u64 {
        if word >= now {
            return word;
        }
        let kept_until = self.kept_until.load(Ordering::Relaxed);
        if word <= kept_until && now - word <= pace.kept {
            return word;
        }
        if kept_until != 0 {
            self.kept_until.store(0, Ordering::Relaxed);
        }
        now
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

    #[inline]
    fn corrected(&self, pace: Pace, word: u64, now: u64) -> Option<u64> {
        let corrected = pace.corrected(word, now)?;
        (word > self.furthest.load(Ordering::Relaxed)).then_some(corrected)
    }

    /// Starts the line again after the clock went back.
    #[cold]
    fn correct(&self, guard: &mut MutexGuard<'_, Option<Box<Line>>>, pace: Pace, now: u64) {
        let word = self.word.load(Ordering::Acquire);
        if let Some(start) = self.corrected(pace, word, now) {
            if self.swap(word, start).is_ok() {
                let end = guard.as_mut().map_or(start, |line| line.move_to(start, |width| width));
                let _ = self.swap(start, end);
            }
        }
    }

    /// Locks the line, and allocates the line at the first use.
    fn line(&self) -> MutexGuard<'_, Option<Box<Line>>> {
        let mut guard = lock(&self.line);
        guard.get_or_insert_with(|| Box::new(Line::new()));
        guard
    }

    /// Publishes whether there are holes, for calls without the lock.
    fn publish(&self, line: Option<&Line>) {
        let has_holes = line.is_some_and(|line| !line.holes().is_empty());
        self.has_holes.store(u64::from(has_holes), Ordering::Relaxed);
    }

    fn has_holes(&self) -> bool {
        self.has_holes.load(Ordering::Relaxed) != 0
    }

    /// Returns the word before the update.
    fn update(&self, next: impl Fn(u64) -> u64) -> u64 {
        let mut word = self.word.load(Ordering::Acquire);
        while let Err(other) = self.swap(word, next(word)) {
            word = other;
        }
        word
    }

    fn swap(&self, word: u64, next: u64) -> Result<(), u64> {
        let swapped = self.word.compare_exchange(word, next, Ordering::AcqRel, Ordering::Acquire);
        swapped.map(drop)
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use super::*;

    fn request(pace: Pace, wait: u64) -> Request {
        Request { pace, width: pace.interval, wait }
    }

    #[test]
    fn a_clock_that_goes_back_costs_at_most_a_burst() {
        let pace = Pace::new(1, Duration::from_nanos(10), 3, Duration::ZERO);
        let gcra = Gcra::new();
        let at = |now| gcra.try_acquire(request(pace, 0), || now);
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
            assert_eq!(gcra.try_acquire(request(pace, 0), || 1_000_000), Ok(()));
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

#[cfg(all(test, resilience_loom))]
mod model {
    use loom::sync::Arc;
    use loom::thread;

    use super::*;

    fn pace(burst: u32) -> Pace {
        Pace::new(1, Duration::from_nanos(10), burst, Duration::from_nanos(99))
    }

    fn request(burst: u32, wait: u64) -> Request {
        Request { pace: pace(burst), width: 10, wait }
    }

    fn queue(gcra: &Gcra) -> Queued {
        gcra.acquire_or_queue(request(1, 99), Waker::noop().clone(), || 100).unwrap().unwrap()
    }

    #[test]
    fn a_grant_is_taken_once() {
        loom::model(|| {
            let gcra = Arc::new(Gcra::new());
            let take = |gcra: &Gcra| {
                (0..2).filter(|_| gcra.try_acquire(request(2, 0), || 100).is_ok()).count()
            };
            let other = {
                let gcra = Arc::clone(&gcra);
                thread::spawn(move || take(&gcra))
            };
            let taken = take(&gcra) + other.join().unwrap();
            assert_eq!(taken, 2);
            assert_eq!(gcra.try_acquire(request(2, 0), || 100), Err(10));
        });
    }

    /// Two reservations are kept, and a third is returned at any moment. All positions are used.
    #[test]
    fn a_returned_reservation_is_taken_once() {
        loom::model(|| {
            let gcra = Arc::new(Gcra::new());
            let take = |gcra: &Gcra| gcra.reserve(request(1, 99), || 100).unwrap();
            let returning = {
                let gcra = Arc::clone(&gcra);
                thread::spawn(move || {
                    gcra.release(pace(1), take(&gcra).span, || 100);
                    take(&gcra)
                })
            };
            let mut kept = vec![take(&gcra).turn, take(&gcra).turn];
            kept.push(returning.join().unwrap().turn);
            kept.sort_unstable();
            assert!(kept.windows(2).all(|pair| pair[1] - pair[0] >= 10), "{kept:?}");
            // A call that looks at the holes before the return, and at the end after the return,
            // may leave a hole.
            assert!(kept[2] <= 130, "{kept:?}");
        });
    }

    /// A waiting call leaves while a call behind and a call without a wait come.
    #[test]
    fn the_turn_of_a_leaving_call_is_used_once() {
        loom::model(|| {
            let gcra = Arc::new(Gcra::new());
            gcra.try_acquire(request(1, 0), || 100).unwrap();
            let leaving = queue(&gcra);
            let other = {
                let gcra = Arc::clone(&gcra);
                thread::spawn(move || gcra.leave(pace(1), leaving.id, || 100))
            };
            let behind = queue(&gcra);
            other.join().unwrap();
            let taken = gcra.take_end(request(1, 99), || 100).unwrap();
            assert_eq!(taken.turn, 120, "two calls are in front");
            assert_eq!(gcra.poll(pace(1), behind.id, Waker::noop().clone(), || 109), Some(110));
            assert_eq!(gcra.poll(pace(1), behind.id, Waker::noop().clone(), || 110), None);
        });
    }

    /// The end of the line moves back while a call without a wait takes the end.
    #[test]
    fn the_end_moves_back_and_forward_without_an_overlap() {
        loom::model(|| {
            let gcra = Arc::new(Gcra::new());
            gcra.try_acquire(request(1, 0), || 100).unwrap();
            let leaving = queue(&gcra);
            let other = {
                let gcra = Arc::clone(&gcra);
                thread::spawn(move || gcra.leave(pace(1), leaving.id, || 100))
            };
            let first = gcra.take_end(request(1, 99), || 100).unwrap();
            other.join().unwrap();
            let second = gcra.reserve(request(1, 99), || 100).unwrap();
            let mut turns = [first.turn, second.turn];
            turns.sort_unstable();
            assert_eq!(turns, [110, 120]);
        });
    }
}
