//! The latencies of a function, and the quantile learned from them.
//!
//! The latencies are counted in buckets of equal relative width, as in an HDR histogram or a
//! `DDSketch` (Masson, Rim, Lee, 2019). An octave has 25 buckets, so a bucket is at most 4 % wide,
//! and the harmonic mean of the bounds is at most 1.97 % away from each latency in the bucket.
//!
//! There are two windows. New latencies go to the current window. Both windows determine the
//! quantile. A full window becomes the older window, and the former older window is cleared.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use resilience_rules::hedge as rules;

use crate::clock::{self, Timestamp};
use crate::function_state::TestReset;

/// The number of buckets in an octave.
const BUCKETS_PER_OCTAVE: u32 = 25;
const PER_OCTAVE: u64 = BUCKETS_PER_OCTAVE as u64;

/// Latencies below 2^19 ns, about half a millisecond, share the lowest bucket: timers have a
/// resolution of a millisecond.
const LOWEST: u32 = 19;

/// The number of octaves, up to 275 s.
const OCTAVES: u32 = 19;

/// The longest latency with a bucket of its own, in nanoseconds.
const LONGEST: u64 = (1 << (LOWEST + OCTAVES)) - 1;

const BUCKETS: usize = 1 + (OCTAVES * BUCKETS_PER_OCTAVE) as usize;

/// A window ends before a counter overflows.
const MOST_CALLS: u32 = 60_000;

/// The shortest learned delay. The timer of tokio has a resolution of a millisecond.
const SHORTEST: Duration = Duration::from_millis(1);

/// The number of counters in a word.
const LANES: usize = 4;

/// The number of bits of a counter.
const LANE_BITS: usize = 16;

/// The number of calls from which on the quantile changes slowly.
const MANY_CALLS: u32 = 256;

/// The latencies of the successful calls of a function.
#[derive(Debug)]
pub struct Latencies {
    windows: [Window; 2],
    /// The second in which the current window started, and in the lowest bit the index of the
    /// current window.
    current: AtomicU64,
    /// The learned delay in nanoseconds; zero until the quantile is learned.
    delay: AtomicU64,
}

#[derive(Debug)]
struct Window {
    /// The counter of each bucket. A word holds several counters, so that the computation of a
    /// quantile skips several empty buckets at once.
    counts: [AtomicU64; BUCKETS.div_ceil(LANES)],
    calls: AtomicU32,
    /// The number of calls at which the next call looks for work. A late value delays the work.
    due: AtomicU32,
}

impl Window {
    const fn new() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; BUCKETS.div_ceil(LANES)],
            calls: AtomicU32::new(0),
            due: AtomicU32::new(rules::LEARNING_CALLS),
        }
    }

    fn clear(&self) {
        self.counts.iter().for_each(|count| count.store(0, Relaxed));
        self.calls.store(0, Relaxed);
        self.due.store(rules::LEARNING_CALLS, Relaxed);
    }

    /// Counts a latency in this bucket. Returns the number of calls.
    #[inline]
    fn count(&self, bucket: usize) -> u32 {
        if let Some(counts) = self.counts.get(bucket / LANES) {
            counts.fetch_add(1 << (bucket % LANES * LANE_BITS), Relaxed);
        }
        self.calls.fetch_add(1, Relaxed).wrapping_add(1)
    }
}

/// Returns a counter of a word.
const fn lane(word: u64, lane: usize) -> u64 {
    word >> (lane * LANE_BITS) & u16::MAX as u64
}

impl Latencies {
    /// Returns an empty record.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            windows: [Window::new(), Window::new()],
            current: AtomicU64::new(0),
            delay: AtomicU64::new(0),
        }
    }

    /// Returns the learned delay; `None` during the warm-up.
    pub(super) fn learned(&self) -> Option<Duration> {
        let nanos = self.delay.load(Relaxed);
        (nanos > 0).then(|| Duration::from_nanos(nanos).max(SHORTEST))
    }

    /// Records the latency in nanoseconds of an attempt that succeeded, until `end` if known.
    /// `thousandths` is the quantile to learn.
    #[inline]
    pub(super) fn record(&self, nanos: u64, end: Option<Timestamp>, thousandths: u32) {
        let current = self.current.load(Relaxed);
        let window = self.window(current);
        let calls = window.count(bucket(nanos));
        if calls >= window.due.load(Relaxed) {
            self.look(current, calls, end, thousandths);
        }
    }

    /// Records the latency of an attempt that lost against a later attempt.
    ///
    /// An attempt that lost would have taken longer. Without these attempts the delay would fall
    /// with each hedge, because the slow attempts would never count. With the time until the
    /// success of the hedge, fast hedges would keep the delay where it is, so an eighth is added:
    /// the delay rises while too many calls are hedged.
    pub(super) fn record_lost(&self, nanos: u64, end: Option<Timestamp>, thousandths: u32) {
        self.record(nanos.saturating_add(nanos / 8), end, thousandths);
    }

    /// Computes the quantile if due: the quantile of few calls changes with each call, the quantile
    /// of many calls slowly.
    #[cold]
    #[inline(never)]
    fn look(&self, current: u64, calls: u32, end: Option<Timestamp>, thousandths: u32) {
        let step = if calls < MANY_CALLS { 32 } else { 16 };
        // First of all, so that another call looks if this thread stops here.
        let next = (calls / step).saturating_add(1).saturating_mul(step);
        self.window(current).due.store(next, Relaxed);
        let end = end.unwrap_or_else(clock::now);
        // After many calls the next computation may be far away, if few calls follow.
        let is_late = age(current, end) >= rules::LEARNING_TIME.as_secs();
        if calls % MANY_CALLS < step || calls < MANY_CALLS || is_late {
            self.learn(current, end, thousandths);
        }
    }

    fn window(&self, current: u64) -> &Window {
        let [first, second] = &self.windows;
        if current & 1 == 0 { first } else { second }
    }

    /// Computes the quantile, and ends a full window.
    fn learn(&self, current: u64, end: Timestamp, thousandths: u32) {
        if let Some(nanos) = self.quantile(thousandths) {
            self.delay.store(nanos, Relaxed);
        }
        let next = u64::from(end.seconds()) << 1;
        if current == 0 {
            // The first window has no start yet.
            let _ = self.current.compare_exchange(current, next, Relaxed, Relaxed);
            return;
        }
        let is_full = self.window(current).calls.load(Relaxed) >= MOST_CALLS;
        if age(current, end) < rules::LEARNING_TIME.as_secs() && !is_full {
            return;
        }
        let next = next | (!current & 1);
        // A latency recorded meanwhile may be lost, or belong to the wrong window.
        self.window(next).clear();
        let _ = self.current.compare_exchange(current, next, Relaxed, Relaxed);
    }

    /// Returns the quantile of both windows in nanoseconds: the middle of the bucket with the
    /// smallest latency that at least this share of the calls did not exceed.
    fn quantile(&self, thousandths: u32) -> Option<u64> {
        let [first, second] = &self.windows;
        let calls = u64::from(first.calls.load(Relaxed)) + u64::from(second.calls.load(Relaxed));
        // The calls that may be slower.
        let slower = calls.saturating_mul(u64::from(1000_u32.saturating_sub(thousandths))) / 1000;
        let mut seen = 0;
        let words = first.counts.iter().zip(&second.counts).enumerate().rev();
        for (index, (first, second)) in words {
            let (first, second) = (first.load(Relaxed), second.load(Relaxed));
            if first | second == 0 {
                continue;
            }
            for counter in (0..LANES).rev() {
                seen += lane(first, counter) + lane(second, counter);
                if seen > slower {
                    return Some(middle(index * LANES + counter));
                }
            }
        }
        None
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

impl TestReset for Latencies {
    fn fresh(&self) -> Self {
        Self::new()
    }
}

/// Returns the age of the current window in seconds.
#[inline]
fn age(current: u64, end: Timestamp) -> u64 {
    let second = end.seconds();
    let start = u32::try_from(current >> 1).unwrap_or(second);
    u64::from(second.wrapping_sub(start))
}

/// Returns the bucket of a latency.
#[inline]
fn bucket(nanos: u64) -> usize {
    let nanos = nanos.min(LONGEST);
    if nanos < 1 << LOWEST {
        return 0;
    }
    let octave = nanos.ilog2();
    let within = ((nanos - (1 << octave)) * PER_OCTAVE) >> octave;
    let index = 1 + u64::from(octave - LOWEST) * PER_OCTAVE + within;
    usize::try_from(index).unwrap_or(BUCKETS - 1)
}

/// Returns the harmonic mean of the bounds of a bucket, in nanoseconds.
fn middle(bucket: usize) -> u64 {
    let Some(index) = bucket.checked_sub(1) else { return 1 << LOWEST };
    let index = u64::try_from(index).unwrap_or(0);
    let (octave, within) = (index / PER_OCTAVE, index % PER_OCTAVE);
    let base = 1_u64 << (u64::from(LOWEST) + octave);
    // For the bounds `base * low / 25` and `base * (low + 1) / 25`.
    let low = PER_OCTAVE + within;
    base.saturating_mul(2 * low * (low + 1)) / (PER_OCTAVE * (2 * low + 1))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a panic fails the test")]
mod tests {
    use super::*;

    impl Window {
        fn calls_in(&self, bucket: usize) -> u64 {
            lane(self.counts[bucket / LANES].load(Relaxed), bucket % LANES)
        }
    }

    fn record(latencies: &Latencies, nanos: u64, thousandths: u32) {
        latencies.record(nanos, None, thousandths);
    }

    #[test]
    fn a_record_takes_at_most_two_kilobytes() {
        assert!(size_of::<Latencies>() <= 2048, "{}", size_of::<Latencies>());
    }

    #[test]
    fn every_latency_is_within_two_percent_of_the_middle_of_its_bucket() {
        let mut nanos = 1_u64 << LOWEST;
        while nanos < 1 << (LOWEST + OCTAVES) {
            for near in [nanos - 1, nanos, nanos + 1] {
                if near >= 1 << LOWEST {
                    let middle = middle(bucket(near));
                    assert!(middle.abs_diff(near) * 50 <= near, "{near} ns: {middle} ns");
                }
            }
            nanos += (nanos / 997).max(1);
        }
    }

    #[test]
    fn quantiles_are_within_two_percent_of_the_exact_quantiles() {
        let _clock = crate::testing::clock();
        for thousandths in [500, 900, 950, 990, 999] {
            let latencies = Latencies::new();
            let mut random = 1_u64;
            let mut all = Vec::new();
            for _ in 0..5000 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                // Between 1 ms and a minute, evenly in octaves.
                let octave = 20 + (random >> 59) % 15;
                let nanos = (1 << octave) + (random >> 20) % (1 << octave);
                all.push(nanos);
                record(&latencies, nanos, thousandths);
            }
            all.sort_unstable();
            let index = 5000 * usize::try_from(thousandths).unwrap() / 1000 - 1;
            let (exact, learned) = (all[index], latencies.quantile(thousandths).unwrap());
            assert!(learned.abs_diff(exact) * 50 <= exact, "p{thousandths}: {learned}, {exact}");
        }
    }

    #[test]
    fn a_quantile_is_learned_from_the_twentieth_call_on() {
        let _clock = crate::testing::clock();
        let latencies = Latencies::new();
        for _ in 0..19 {
            record(&latencies, 40_000_000, 950);
            assert_eq!(latencies.learned(), None);
        }
        record(&latencies, 40_000_000, 950);
        let learned = latencies.learned().unwrap();
        assert!(learned.as_nanos().abs_diff(40_000_000) <= 800_000, "{learned:?}");
    }

    #[test]
    fn latencies_of_two_windows_ago_are_forgotten() {
        let clock = crate::testing::clock();
        let latencies = Latencies::new();
        let run = |nanos| {
            for _ in 0..256 {
                record(&latencies, nanos, 500);
                clock.advance(Duration::from_millis(200));
            }
            latencies.learned().unwrap().as_millis()
        };
        assert!((79..=81).contains(&run(80_000_000)));
        for _ in 0..3 {
            run(5_000_000);
        }
        assert!((4..=5).contains(&run(5_000_000)));
        let kept = latencies.windows.iter().map(|window| window.calls_in(bucket(80_000_000)));
        assert_eq!(kept.sum::<u64>(), 0);
    }

    /// Returns the numbers of the calls after which the quantile is computed.
    fn computed(latencies: &Latencies, calls: core::ops::RangeInclusive<u32>) -> Vec<u32> {
        let is_computed = |_: &u32| {
            latencies.delay.store(0, Relaxed);
            record(latencies, 40_000_000, 950);
            latencies.learned().is_some()
        };
        calls.filter(is_computed).collect()
    }

    #[test]
    fn the_quantile_is_computed_often_at_first_and_in_an_old_window() {
        let clock = crate::testing::clock();
        let latencies = Latencies::new();
        let first = [20, 32, 64, 96, 128, 160, 192, 224, 256, 512, 768];
        assert_eq!(computed(&latencies, 1..=1000), first);
        clock.advance(rules::LEARNING_TIME);
        // The calls of a new window are counted from the first on.
        assert_eq!(computed(&latencies, 1001..=1060), [1008, 1008 + 20, 1008 + 32]);

        let latencies = Latencies::new();
        computed(&latencies, 1..=260);
        clock.advance(rules::LEARNING_TIME);
        assert_eq!(computed(&latencies, 261..=280), [272]);
    }

    #[test]
    fn two_windows_determine_the_quantile_and_end_after_the_learning_time() {
        let clock = crate::testing::clock();
        let latencies = Latencies::new();
        let learned = |calls, millis: u64| {
            (0..calls).for_each(|_| record(&latencies, millis * 1_000_000, 500));
            latencies.learned().unwrap().as_millis()
        };
        assert!((19..=21).contains(&learned(128, 20)));
        clock.advance(rules::LEARNING_TIME);
        // The window ends with the last of these calls.
        assert!((19..=21).contains(&learned(32, 20)));
        assert!((19..=21).contains(&learned(64, 80)));
        clock.advance(rules::LEARNING_TIME);
        // The first window is dropped with the last of these calls.
        assert!((19..=21).contains(&learned(32, 80)));
        assert!((78..=82).contains(&learned(20, 80)));
    }

    #[test]
    fn calls_below_the_resolution_of_timers_teach_the_shortest_delay() {
        let _clock = crate::testing::clock();
        let latencies = Latencies::new();
        (0..20).for_each(|_| record(&latencies, 0, 950));
        assert_eq!(latencies.learned(), Some(SHORTEST));
    }

    #[test]
    fn a_window_ends_before_a_counter_overflows() {
        let _clock = crate::testing::clock();
        let latencies = Latencies::new();
        for _ in 0..200_000 {
            record(&latencies, 7_000_000, 950);
        }
        let learned = latencies.learned().unwrap();
        assert!(learned.as_nanos().abs_diff(7_000_000) <= 140_000, "{learned:?}");
        assert!(latencies.windows.iter().all(|window| window.calls.load(Relaxed) < 65_536));
    }

    #[test]
    fn threads_lose_no_call_and_learn() {
        let latencies = Latencies::new();
        std::thread::scope(|threads| {
            for bucket in 1..=4 {
                let nanos = middle(bucket);
                let latencies = &latencies;
                threads.spawn(move || (0..5000).for_each(|_| record(latencies, nanos, 950)));
            }
        });
        for bucket in 1..=4 {
            let counted = latencies.windows.iter().map(|window| window.calls_in(bucket));
            assert_eq!(counted.sum::<u64>(), 5000);
        }
        assert_eq!(latencies.learned(), Some(SHORTEST));
    }

    #[test]
    fn extreme_latencies_have_a_bucket() {
        assert_eq!(bucket(0), 0);
        assert_eq!((bucket((1 << LOWEST) - 1), bucket(1 << LOWEST)), (0, 1));
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        assert_eq!(bucket((1 << (LOWEST + OCTAVES)) - 1), BUCKETS - 1);
    }
}
