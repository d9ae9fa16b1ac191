//! The nanoseconds of an `Instant`, without the checks and the split of a subtraction.
//!
//! `Instant` has no accessor for its fields, but shows the fields to a hasher: seconds as a 64-bit
//! and nanoseconds as a 32-bit integer, on all platforms of today. The first use compares the
//! fields with subtractions. A standard library with other fields gets the subtraction instead.

use core::hash::{Hash, Hasher};
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::sync::OnceLock;
use std::time::Instant;

use super::timestamp::nanos;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

const UNKNOWN: u8 = 0;
const FIELDS: u8 = 1;
const SUBTRACTION: u8 = 2;

/// The conversion of this process. Any thread finds the same conversion.
static CONVERSION: AtomicU8 = AtomicU8::new(UNKNOWN);

/// The end of the seconds that [`usual_nanos`] converts: 136 years after the origin of the system's
/// clock. Zero before the conversion is known, and for the subtraction.
static USUAL_SECONDS: AtomicU64 = AtomicU64::new(0);

const MOST_USUAL_SECONDS: u64 = 1 << 32;

/// Returns [`instant_nanos`] of a usual instant, below 2^62. One comparison covers the range,
/// within which no sum overflows, and the conversion of the process.
#[inline]
#[expect(clippy::cast_sign_loss, reason = "negative seconds become large and so are not usual")]
pub(crate) fn usual_nanos(instant: Instant) -> Option<u64> {
    let Fields { seconds, nanos } = Fields::of(instant);
    let seconds = seconds as u64;
    let is_usual = seconds < USUAL_SECONDS.load(Relaxed);
    is_usual.then(|| seconds.wrapping_mul(NANOS_PER_SECOND).wrapping_add(u64::from(nanos)))
}

/// Returns the nanoseconds of an instant since a fixed point, the same in the whole process. The
/// differences are those of the instants, so the order is the same too.
#[cold]
#[inline(never)]
pub(crate) fn instant_nanos(instant: Instant) -> i64 {
    static ANCHOR: OnceLock<Instant> = OnceLock::new();
    let anchor = *ANCHOR.get_or_init(|| instant);
    if CONVERSION.load(Relaxed) == UNKNOWN {
        let found = if is_exact(anchor, fields) { FIELDS } else { SUBTRACTION };
        CONVERSION.store(found, Relaxed);
        USUAL_SECONDS.store(if found == FIELDS { MOST_USUAL_SECONDS } else { 0 }, Relaxed);
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

fn fields(instant: Instant) -> i64 {
    let Fields { seconds, nanos } = Fields::of(instant);
    let whole = seconds.saturating_mul(1_000_000_000);
    whole.saturating_add(i64::from(nanos))
}

/// The fields of an instant.
#[derive(Default)]
struct Fields {
    seconds: i64,
    nanos: u32,
}

impl Fields {
    #[inline]
    fn of(instant: Instant) -> Self {
        let mut fields = Self::default();
        instant.hash(&mut fields);
        fields
    }
}

impl Hasher for Fields {
    fn finish(&self) -> u64 {
        self.seconds.unsigned_abs()
    }

    /// Fields of other types are not kept, so the comparison with a subtraction fails.
    #[inline]
    fn write(&mut self, _: &[u8]) {}

    #[inline]
    fn write_i64(&mut self, seconds: i64) {
        self.seconds = seconds;
    }

    #[inline]
    fn write_u64(&mut self, seconds: u64) {
        self.write_i64(i64::try_from(seconds).unwrap_or(i64::MAX));
    }

    #[inline]
    fn write_u32(&mut self, nanos: u32) {
        self.nanos = nanos;
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
