//! The nanoseconds of an `Instant`, without the checks and the split of a subtraction.
//!
//! `Instant` has no accessor for its fields, but shows the fields to a hasher: seconds as a 64-bit
//! and nanoseconds as a 32-bit integer, on all platforms of today. The first use compares the
//! fields with subtractions. A standard library with other fields gets the subtraction instead.

use core::hash::{Hash, Hasher};
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};
use core::time::Duration;
use std::sync::OnceLock;
use std::time::Instant;

use crate::clock::nanos;

const UNKNOWN: u8 = 0;
const FIELDS: u8 = 1;
const SUBTRACTION: u8 = 2;

/// The conversion of this process. Any thread finds the same conversion.
static CONVERSION: AtomicU8 = AtomicU8::new(UNKNOWN);

/// Returns the nanoseconds of an instant since a fixed point, the same in the whole process. The
/// differences are those of the instants, so the order is the same too.
#[inline]
pub(crate) fn instant_nanos(instant: Instant) -> i64 {
    if CONVERSION.load(Relaxed) == FIELDS { fields(instant) } else { checked(instant) }
}

#[cold]
#[inline(never)]
fn checked(instant: Instant) -> i64 {
    static ANCHOR: OnceLock<Instant> = OnceLock::new();
    let anchor = *ANCHOR.get_or_init(|| instant);
    if CONVERSION.load(Relaxed) == UNKNOWN {
        let found = if is_exact(anchor, fields) { FIELDS } else { SUBTRACTION };
        CONVERSION.store(found, Relaxed);
    }
    if CONVERSION.load(Relaxed) == FIELDS { fields(instant) } else { difference(anchor, instant) }
}

/// Returns whether a conversion agrees with subtraction: for seconds and nanoseconds alone and
/// together, with a carry, and over years. A conversion is linear in both fields, so it agrees for
/// all instants then.
fn is_exact(anchor: Instant, conversion: fn(Instant) -> i64) -> bool {
    const STEPS: [Duration; 5] = [
        Duration::from_nanos(1),
        Duration::from_nanos(999_999_999),
        Duration::from_secs(1),
        Duration::new(86_400, 1_234_567),
        Duration::new(100 * 365 * 86_400, 5),
    ];
    STEPS.iter().all(|step| {
        let later = anchor.checked_add(*step);
        let passed = later.and_then(|later| conversion(later).checked_sub(conversion(anchor)));
        passed.and_then(|passed| u64::try_from(passed).ok()) == Some(nanos(*step))
    })
}

fn difference(anchor: Instant, instant: Instant) -> i64 {
    let signed = |time: Duration| i64::try_from(nanos(time)).unwrap_or(i64::MAX);
    match instant.checked_duration_since(anchor) {
        Some(since) => signed(since),
        None => -signed(anchor.saturating_duration_since(instant)),
    }
}

#[inline]
fn fields(instant: Instant) -> i64 {
    let mut fields = Fields(0);
    instant.hash(&mut fields);
    fields.0
}

/// Adds the fields of an instant.
struct Fields(i64);

impl Hasher for Fields {
    fn finish(&self) -> u64 {
        self.0.unsigned_abs()
    }

    /// Fields of other types are not added, so the comparison with a subtraction fails.
    #[inline]
    fn write(&mut self, _: &[u8]) {}

    #[inline]
    fn write_i64(&mut self, seconds: i64) {
        self.0 = self.0.saturating_add(seconds.saturating_mul(1_000_000_000));
    }

    #[inline]
    fn write_u64(&mut self, seconds: u64) {
        self.write_i64(i64::try_from(seconds).unwrap_or(i64::MAX));
    }

    #[inline]
    fn write_u32(&mut self, nanos: u32) {
        self.0 = self.0.saturating_add(i64::from(nanos));
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_an_instant_agree_with_subtraction() {
        let now = Instant::now();
        assert!(is_exact(now, fields));
        for nanos in (0..2_000_000_000).step_by(999_983) {
            let later = now + Duration::from_nanos(nanos);
            assert_eq!(fields(later) - fields(now), i64::try_from(nanos).expect("two seconds"));
            assert_eq!(difference(now, later), fields(later) - fields(now));
            assert_eq!(difference(later, now), fields(now) - fields(later));
        }
    }

    #[test]
    fn a_conversion_that_loses_a_field_is_not_used() {
        let without_seconds = |instant| fields(instant) % 1_000_000_000;
        let without_nanoseconds = |instant| fields(instant) / 1_000_000_000 * 1_000_000_000;
        let in_microseconds = |instant| fields(instant) / 1_000;
        for conversion in [without_seconds, without_nanoseconds, in_microseconds, |_| 0] {
            assert!(!is_exact(Instant::now(), conversion));
        }
    }

    #[test]
    fn times_of_the_clock_never_go_back() {
        let mut last = instant_nanos(Instant::now());
        for _ in 0..100_000 {
            let now = instant_nanos(Instant::now());
            assert!(now >= last);
            last = now;
        }
    }
}
