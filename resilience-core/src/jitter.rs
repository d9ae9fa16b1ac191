//! Jitter: spreads delays, so that callers that failed together do not retry together.

use core::time::Duration;

use crate::backoff::scale;
use resilience_rules::retry::ratio_width;

/// The spread of a delay `x` after the ceiling has been applied. `u` is uniform in `[0, 1)`.
///
/// No variant exceeds the ceiling. The formulas of `Full`, `Equal` and `Decorrelated` come from M.
/// Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Jitter {
    /// `x`
    None,
    /// `u * x`
    Full,
    /// `x/2 + u * x/2`
    Equal,
    /// `min(ceiling, base + u * (3 * previous - base))`: grows with the previous delay, which
    /// starts at the base.
    Decorrelated,
    /// `x + u * ratio * x`. A ratio outside 0 to 1 counts as the nearer end; a ratio that is not a
    /// number counts as 0. Near the ceiling like `UpTo`.
    Ratio(f64),
    /// `x + u * d`. If `x + d` exceeds the ceiling, the interval moves down to the ceiling, but
    /// never below the first delay. The default ceiling leaves room for the jitter on top of the
    /// first delay.
    UpTo(Duration),
}

impl Jitter {
    /// Returns the ratio of [`Ratio`](Self::Ratio), else zero.
    pub(crate) const fn ratio(self) -> f64 {
        if let Self::Ratio(ratio) = self { ratio } else { 0.0 }
    }

    /// Returns the longest time that the jitter adds to `delay`.
    pub(crate) const fn width(self, delay: Duration) -> Duration {
        match self {
            Self::Ratio(ratio) => ratio_width(delay, ratio),
            Self::UpTo(width) => width,
            Self::None | Self::Full | Self::Equal | Self::Decorrelated => Duration::ZERO,
        }
    }

    /// Spreads `delay` downward by the draw `u`.
    pub(crate) fn below(self, delay: Duration, u: f64) -> Duration {
        match self {
            Self::Full => between(Duration::ZERO, delay, u),
            Self::Equal => between(delay / 2, delay, u),
            // `above` and `decorrelated` compute these delays.
            Self::None | Self::Decorrelated | Self::Ratio(_) | Self::UpTo(_) => delay,
        }
    }
}

/// Returns the next decorrelated delay after `previous`.
pub(crate) fn decorrelated(base: Duration, previous: Duration, max: Duration, u: f64) -> Duration {
    let base = base.min(max);
    let high = previous.saturating_mul(3).max(base);
    between(base, high, u).min(max)
}

/// Returns a delay up to `width` above `delay`. The interval moves down if the end passes `max`,
/// but not below `floor`.
pub(crate) fn above(
    delay: Duration,
    width: Duration,
    floor: Duration,
    max: Duration,
    u: f64,
) -> Duration {
    let low = delay.min(max.saturating_sub(width).max(floor));
    between(low, low.saturating_add(width).min(max), u)
}

fn between(low: Duration, high: Duration, u: f64) -> Duration {
    low.saturating_add(scale(high.saturating_sub(low), u)).min(high)
}
