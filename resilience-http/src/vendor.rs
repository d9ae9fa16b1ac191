//! The headers `X-RateLimit-*`, by whoever sends them.

use core::time::Duration;
use std::time::SystemTime;

use http::{HeaderMap, HeaderName, header};

use crate::retry_after::{self, digits};

const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// A service whose `X-RateLimit-*` headers are understood, for
/// [`Classifier::vendor`](crate::Classifier::vendor) and [`HostCooldown::vendor`](crate::HostCooldown::vendor).
///
/// They are read only where the service is named, because each has its own meaning for the same word:
/// a reset is a time to one and a number of seconds to the next. What the response says by `Retry-After`
/// or `RateLimit` comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Vendor {
    /// GitHub. `x-ratelimit-reset` is a time, in seconds since 1970. Limits are told by 403 as well as by
    /// 429: a 403 with none remaining, or with a `Retry-After`, is one.
    GitHub,
    /// Reddit. `x-ratelimit-reset` is the number of seconds until then.
    Reddit,
}

impl Vendor {
    /// The time until a limit that is used up is refilled.
    pub(crate) fn reset(self, headers: &HeaderMap) -> Option<Duration> {
        if headers.contains_key(header::AGE) || number(headers, &REMAINING)? > 0 {
            return None;
        }
        let reset = Duration::from_secs(number(headers, &RESET)?);
        match self {
            Self::GitHub => {
                let now = retry_after::date(headers).duration_since(SystemTime::UNIX_EPOCH);
                Some(reset.saturating_sub(now.unwrap_or_default()))
            }
            Self::Reddit => Some(reset),
        }
    }

    /// Whether a status that is final elsewhere is a limit's, where the response says when to come back.
    pub(crate) const fn limits_by(self, code: u16) -> bool {
        matches!((self, code), (Self::GitHub, 403))
    }
}

/// A whole number; fractions, which Reddit sends, are rounded up.
fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let value = headers.get(name)?.as_bytes().trim_ascii();
    let Some(point) = value.iter().position(|byte| *byte == b'.') else { return digits(value) };
    let (whole, fraction) = (value.get(..point)?, value.get(point + 1..)?);
    let more = u64::from(digits(fraction)? > 0);
    Some(digits(whole)?.saturating_add(more))
}
