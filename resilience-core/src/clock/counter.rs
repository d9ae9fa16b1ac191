//! The feature `fast-clock`: the time by the counter of the processor.

use std::sync::OnceLock;
use std::thread;
use std::time::Instant;

use quanta::Clock;

use super::Timestamp;

/// The counter, with a moment at which the counter and the clock of the system were read.
struct Counter {
    clock: Clock,
    raw: u64,
    time: Timestamp,
    /// The nanoseconds of 2^[`SHIFT`] ticks: a constant shift, where `quanta` shifts by a variable.
    nanos: u64,
}

/// The factor is exact to a hundredth of a nanosecond per day: 2^48 ticks are about a day.
const SHIFT: u32 = 48;

/// `None` without a counter that fits, and while the rate of the counter is being measured.
static COUNTER: OnceLock<Counter> = OnceLock::new();

/// Returns the current time. Until the rate of the counter is known, the time is that of the clock
/// of the system.
#[inline]
pub(crate) fn now() -> Timestamp {
    COUNTER.get().map_or_else(by_system, Counter::now)
}

#[cold]
fn by_system() -> Timestamp {
    static MEASUREMENT: OnceLock<()> = OnceLock::new();
    MEASUREMENT.get_or_init(|| {
        // The measurement takes 10 to 200 ms, so no call waits for it. Without a thread the clock
        // of the system stays.
        let thread = thread::Builder::new().name("resilience-clock".into());
        drop(thread.spawn(|| drop(COUNTER.set(Counter::measured()))));
    });
    Timestamp::from_instant(Instant::now())
}

impl Counter {
    fn measured() -> Self {
        let clock = Clock::new();
        // The counter is read first, so the time is never before the clock of the system.
        let raw = clock.raw();
        let time = Timestamp::from_instant(Instant::now());
        let nanos = clock.delta_as_nanos(0, 1 << SHIFT);
        Self { clock, raw, time, nanos }
    }

    #[inline]
    fn now(&self) -> Timestamp {
        let ticks = self.clock.raw().saturating_sub(self.raw);
        let passed = (u128::from(ticks) * u128::from(self.nanos)) >> SHIFT;
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        Timestamp::from_nanos(self.time.word().saturating_add(passed))
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn the_counter_agrees_with_the_clock_of_the_system() {
        let counter = Counter::measured();
        let mut last = counter.now();
        let end = Instant::now() + Duration::from_millis(20);
        while Instant::now() < end {
            // A reading between two readings of the system, which a pause in between widens.
            let before = Timestamp::from_instant(Instant::now());
            let now = counter.now();
            let after = Timestamp::from_instant(Instant::now());
            // 1 in 10 000, and the time of a reading.
            let tolerance = Duration::from_micros(10);
            assert!(now.plus(tolerance) >= before && now <= after.plus(tolerance));
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn the_time_does_not_go_back_when_the_measurement_ends() {
        let mut last = now();
        let end = Instant::now() + Duration::from_secs(5);
        while COUNTER.get().is_none() && Instant::now() < end {
            let now = now();
            assert!(now >= last);
            last = now;
        }
        assert!(COUNTER.get().is_some() && now() >= last);
    }
}
