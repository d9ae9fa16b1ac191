//! The generic cell rate algorithm (GCRA) in one atomic word: the theoretical arrival time of the
//! next call at the steady rate. A call is admitted if the call is early by at most a burst.

use core::sync::atomic::Ordering;
use core::time::Duration;

use crate::sync::{AtomicU64, const_fn};

/// 146 years in nanoseconds: the limit of bursts and waits, so that additions do not overflow.
pub(super) const MAX_NANOS: u64 = 1 << 62;

/// A rate in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// The time from call to call. Rounded up, so that the rate is never exceeded in the long run.
    interval: u64,
    /// How early a call of a burst may come.
    tolerance: u64,
}

/// An admitted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    /// The time from which the call may start.
    pub(super) ready: u64,
    pub(super) must_wait: bool,
    /// The word before and after.
    base: u64,
    next: u64,
}

impl Pace {
    /// Creates a pace; zero counts as 1.
    pub(super) const fn new(rate: u32, per: Duration, burst: u32) -> Self {
        let rate = if rate == 0 { 1 } else { rate as u128 };
        let interval = saturated(per.as_nanos().div_ceil(rate), u64::MAX);
        let interval = if interval == 0 { 1 } else { interval };
        let early = burst.saturating_sub(1) as u128 * interval as u128;
        Self { interval, tolerance: saturated(early, MAX_NANOS) }
    }

    /// Returns the grant of a call at `now`, or the time until a grant within `wait`.
    fn grant(self, word: u64, now: u64, wait: u64) -> Result<Grant, u64> {
        let base = word.max(now);
        let next = base.saturating_add(self.interval);
        let ready = base.saturating_sub(self.tolerance).max(now);
        let left = ready.saturating_sub(now);
        // At the end of the clock no further call fits.
        if left > wait || next == base {
            return Err(left);
        }
        Ok(Grant { ready, must_wait: left > 0, base, next })
    }

    /// Returns the corrected word after the clock went back, where no call at `now` could have
    /// produced `word`: the word of a used-up burst.
    fn corrected(self, word: u64, now: u64, longest_wait: u64) -> Option<u64> {
        let used_up = now.saturating_add(self.tolerance).saturating_add(self.interval);
        (word > used_up.saturating_add(longest_wait)).then_some(used_up)
    }
}

const fn saturated(nanos: u128, most: u64) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "compared above")]
    if nanos > most as u128 { most } else { nanos as u64 }
}

/// The theoretical arrival time; zero at rest.
#[derive(Debug)]
pub(super) struct Gcra(AtomicU64);

impl Gcra {
    const_fn! {
        pub(super) fn new() -> Self {
            Self(AtomicU64::new(0))
        }
    }

    /// Takes the next grant if at most `wait` away. Otherwise returns the time until the grant,
    /// and changes nothing. No call at this pace waits longer than `longest_wait`.
    pub(super) fn try_acquire(
        &self,
        pace: Pace,
        wait: u64,
        longest_wait: u64,
        now: impl Fn() -> u64,
    ) -> Result<Grant, u64> {
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            // Read after the word: the clock is never behind the call that wrote the word, unless
            // the clock went back.
            let now = now();
            let corrected = pace.corrected(word, now, longest_wait);
            let taken = pace.grant(word, now, wait);
            let next = match (corrected, taken) {
                (Some(corrected), _) => corrected,
                (None, Ok(grant)) => grant.next,
                (None, Err(left)) => return Err(left),
            };
            match self.swap(word, next) {
                Ok(()) if corrected.is_some() => word = next,
                Ok(()) => return taken,
                Err(other) => word = other,
            }
        }
    }

    /// Returns an unused grant. Works for the last grant only: later calls already have fixed
    /// times, and reusing an earlier time would exceed the rate.
    pub(super) fn release(&self, grant: Grant) {
        let _ = self.swap(grant.next, grant.base);
    }

    /// Returns the number of calls that would be admitted at once.
    pub(super) fn available(&self, pace: Pace, now: u64) -> u32 {
        let ahead = self.0.load(Ordering::Acquire).saturating_sub(now);
        let Some(early) = pace.tolerance.checked_sub(ahead) else { return 0 };
        u32::try_from(early / pace.interval).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn swap(&self, word: u64, next: u64) -> Result<(), u64> {
        let swapped = self.0.compare_exchange(word, next, Ordering::AcqRel, Ordering::Acquire);
        swapped.map(drop)
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_goes_back_costs_at_most_a_burst() {
        let pace = Pace::new(1, Duration::from_nanos(10), 3);
        let gcra = Gcra::new();
        let at = |now| gcra.try_acquire(pace, 0, 0, || now).map(|grant| grant.ready);
        assert_eq!(at(1_000_000), Ok(1_000_000));
        // By a little: the debt stays.
        assert_eq!((at(999_990), at(999_990)), (Ok(999_990), Err(10)));
        // By a lot: the wait is one interval, not a million nanoseconds.
        assert_eq!(at(100), Err(10));
        assert_eq!((at(110), at(110)), (Ok(110), Err(10)));
        assert_eq!(gcra.available(pace, 1_000_000), 3);
    }

    #[test]
    fn the_end_of_the_clock_admits_no_call() {
        for (rate, per, burst) in [(1, Duration::MAX, 9), (u32::MAX, Duration::ZERO, u32::MAX)] {
            let (pace, gcra) = (Pace::new(rate, per, burst), Gcra::new());
            let at = |now| gcra.try_acquire(pace, MAX_NANOS, MAX_NANOS, || now).is_ok();
            let calls = (0..9).filter(|_| at(u64::MAX - 2)).count();
            assert!(calls <= 3, "{calls}");
            assert!(!at(u64::MAX));
        }
    }
}

#[cfg(all(test, resilience_loom))]
mod model {
    use loom::sync::Arc;
    use loom::thread;

    use super::*;

    #[test]
    fn a_grant_is_taken_once() {
        loom::model(|| {
            let pace = Pace::new(1, Duration::from_nanos(10), 2);
            let gcra = Arc::new(Gcra::new());
            let take = move |gcra: &Gcra| {
                (0..2).filter(|_| gcra.try_acquire(pace, 0, 0, || 100).is_ok()).count()
            };
            let other = {
                let gcra = Arc::clone(&gcra);
                thread::spawn(move || take(&gcra))
            };
            let taken = take(&gcra) + other.join().unwrap();
            assert_eq!(taken, 2);
            assert_eq!(gcra.try_acquire(pace, 0, 0, || 100), Err(10));
        });
    }

    /// Kept grants never share a time, whatever other threads return in between.
    #[test]
    fn a_returned_grant_is_taken_once() {
        loom::model(|| {
            let pace = Pace::new(1, Duration::from_nanos(10), 1);
            let gcra = Arc::new(Gcra::new());
            let take = move |gcra: &Gcra| gcra.try_acquire(pace, 99, 99, || 100).unwrap();
            let returning = {
                let gcra = Arc::clone(&gcra);
                thread::spawn(move || {
                    gcra.release(take(&gcra));
                    take(&gcra)
                })
            };
            let mut kept = vec![take(&gcra).ready, take(&gcra).ready];
            kept.push(returning.join().unwrap().ready);
            kept.sort_unstable();
            assert!(kept.windows(2).all(|pair| pair[1] - pair[0] >= 10), "{kept:?}");
            // At most one grant is lost.
            assert!(kept[2] <= 130, "{kept:?}");
        });
    }
}
