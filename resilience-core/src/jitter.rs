//! How delays are spread, so that callers that failed together do not return together.

use core::time::Duration;

use crate::backoff::scale;

/// The spread of a delay `x` that has been cut to the ceiling. `u` is uniform in `[0, 1)`.
///
/// No kind exceeds the ceiling. The formulas of `Full`, `Equal` and `Decorrelated` are M. Brooker's
/// ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Jitter {
    /// `x`
    None,
    /// `u * x`
    Full,
    /// `x/2 + u * x/2`
    Equal,
    /// `min(ceiling, base + u * (3 * previous - base))`: grows by itself from the delay waited
    /// before, which is the base at first.
    Decorrelated,
    /// `x + u * ratio * x`; an interval that would pass the ceiling ends at it. A ratio outside 0 to
    /// 1, or not a number, counts as the nearer end.
    Ratio(f64),
    /// `x + u * d`; an interval that would pass the ceiling ends at it.
    UpTo(Duration),
}

impl Jitter {
    /// Returns the ratio of [`Ratio`](Self::Ratio), else zero.
    pub(crate) const fn ratio(self) -> f64 {
        if let Self::Ratio(ratio) = self { ratio } else { 0.0 }
    }

    /// Spreads `delay`, which is at most `max`, by the draw `u`.
    pub(crate) fn spread(self, delay: Duration, max: Duration, u: f64) -> Duration {
        match self {
            // Decorrelated delays are drawn by `decorrelated`, from what was waited before.
            Self::None | Self::Decorrelated => delay,
            Self::Full => between(Duration::ZERO, delay, u),
            Self::Equal => between(delay / 2, delay, u),
            Self::Ratio(ratio) => {
                let ratio = if ratio > 0.0 { ratio.min(1.0) } else { 0.0 };
                above(delay, scale(delay, ratio), max, u)
            }
            Self::UpTo(width) => above(delay, width, max, u),
        }
    }
}

/// The next decorrelated delay after one of `previous`.
pub(crate) fn decorrelated(base: Duration, previous: Duration, max: Duration, u: f64) -> Duration {
    let base = base.min(max);
    let high = previous.saturating_mul(3).max(base);
    between(base, high, u).min(max)
}

/// `width` above `low`, moved down where it would pass `max`.
fn above(low: Duration, width: Duration, max: Duration, u: f64) -> Duration {
    let low = low.min(max.saturating_sub(width));
    between(low, low.saturating_add(width).min(max), u)
}

fn between(low: Duration, high: Duration, u: f64) -> Duration {
    low.saturating_add(scale(high.saturating_sub(low), u)).min(high)
}
