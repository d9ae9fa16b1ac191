//! Points in time.

use core::num::NonZeroU64;
use core::time::Duration;
use std::time::Instant;

use super::instant::{instant_nanos, usual_nanos};

/// A point in time, in nanoseconds from a fixed point 146 years before the origin of the system's
/// clock, which is the start of the machine on most platforms.
///
/// A single word, never zero, so that an `Option<Timestamp>` stays small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(NonZeroU64);

const ORIGIN: NonZeroU64 = match NonZeroU64::new(1 << 62) {
    Some(origin) => origin,
    None => NonZeroU64::MIN,
};

impl Timestamp {
    /// The first point in time, 146 years before the origin.
    pub(super) const MIN: Self = Self(NonZeroU64::MIN);

    /// The last point in time.
    pub(crate) const MAX: Self = Self(NonZeroU64::MAX);

    #[inline]
    pub(crate) fn from_instant(instant: Instant) -> Self {
        match usual_nanos(instant) {
            // The sum of the two: the nanoseconds are below the origin.
            Some(nanos) => Self(ORIGIN | nanos),
            None => Self::from_other(instant),
        }
    }

    #[cold]
    #[inline(never)]
    fn from_other(instant: Instant) -> Self {
        // One bound for an instant before the fixed point.
        let nanos = instant_nanos(instant).max(1 - (1 << 62));
        Self::from_nanos(ORIGIN.get().wrapping_add_signed(nanos))
    }

    #[inline]
    pub(crate) fn from_nanos(nanos: u64) -> Self {
        Self(NonZeroU64::new(nanos).unwrap_or(NonZeroU64::MIN))
    }

    /// Returns the time from `earlier` to `self`; zero if `earlier` is later.
    #[must_use]
    #[inline]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.get().saturating_sub(earlier.0.get()))
    }

    /// Returns the nanoseconds from the origin, capped at 146 years: a number below the
    /// [`word`](Self::word) of every present time.
    pub(crate) fn since_origin(self) -> u64 {
        self.0.get().saturating_sub(ORIGIN.get()).min(ORIGIN.get() - 1)
    }

    /// Returns the low 32 bits of the milliseconds, which wrap after 49 days.
    #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
    pub(crate) fn millis(self) -> u32 {
        (self.0.get() / 1_000_000) as u32
    }

    /// Returns the low 32 bits of the seconds, which wrap after 136 years.
    #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
    pub(crate) fn seconds(self) -> u32 {
        (self.0.get() / 1_000_000_000) as u32
    }

    /// Returns the nanoseconds, for an atomic word; never zero.
    #[must_use]
    #[inline]
    pub fn word(self) -> u64 {
        self.0.get()
    }

    /// Returns the timestamp `by` later.
    #[must_use]
    #[inline]
    pub fn plus(self, by: Duration) -> Self {
        Self::from_nanos(self.0.get().saturating_add(nanos(by)))
    }

    /// Returns the timestamp `by` earlier.
    pub(crate) fn minus(self, by: Duration) -> Self {
        Self::from_nanos(self.0.get().saturating_sub(nanos(by)))
    }
}

/// Returns the nanoseconds of a duration, saturating after 584 years.
#[must_use]
#[inline]
pub fn nanos(duration: Duration) -> u64 {
    let seconds = duration.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(u64::from(duration.subsec_nanos()))
}
