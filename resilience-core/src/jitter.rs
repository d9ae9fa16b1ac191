//! Jitter: spreads delays, so that callers that failed together do not retry together.

use core::time::Duration;

use crate::backoff::scale;

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
    /// `x + u * ratio * x`, within the ceiling. A ratio outside 0 to 1 counts as the nearer end; a
    /// ratio that is not a number counts as 0.
    Ratio(f64),
    /// `x + u * d`, within the ceiling.
    UpTo(Duration),
}

impl Jitter {
    /// Returns the ratio of [`Ratio`](Self::Ratio), else zero.
    pub(crate) const fn ratio(self) -> f64 {
        if let Self::Ratio(ratio) = self { ratio } else { 0.0 }
    }

    /// Spreads `delay`, at most `max`, by the draw `u`.
    pub(crate) fn spread(self, delay: Duration, max: Duration, u: f64) -> Duration {
        match self {
            // `decorrelated` computes these delays from the previous delay.
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

/// Returns the next decorrelated delay after `previous`.
pub(crate) fn decorrelated(base: Duration, previous: Duration, max: Duration, u: f64) -> Duration {
    let base = base.min(max);
    let high = previous.saturating_mul(3).max(base);
    between(base, high, u).min(max)
}

/// Returns a delay up to `width` above `low`. The interval moves down if the end passes `max`.
fn above(low: Duration, width: Duration, max: Duration, u: f64) -> Duration {
    let low = low.min(max.saturating_sub(width));
    between(low, low.saturating_add(width).min(max), u)
}

fn between(low: Duration, high: Duration, u: f64) -> Duration {
    low.saturating_add(scale(high.saturating_sub(low), u)).min(high)
}
