//! `X-RateLimit-*` headers of known services.

use core::time::Duration;
use std::time::SystemTime;

use http::{HeaderMap, HeaderName, header};

use super::retry_after::{self, parse_digits};

const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// A service with known `X-RateLimit-*` headers, for
/// [`Classifier::vendor`](crate::Classifier::vendor) and
/// [`HostCooldown::vendor`](crate::HostCooldown::vendor).
///
/// Services disagree on the meaning of the headers. A reset is a point in time for GitHub and a
/// number of seconds for Reddit. The headers are therefore read only for a named service. A
/// `Retry-After` or a `RateLimit` field takes precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Vendor {
    /// GitHub: `x-ratelimit-reset` is a time in seconds since 1970.
    ///
    /// GitHub reports an exhausted limit by 403 as well as by 429: a 403 with zero remaining
    /// requests, or with a `Retry-After`.
    GitHub,
    /// Reddit: `x-ratelimit-reset` is a number of seconds from now.
    Reddit,
}

impl Vendor {
    /// Returns the time until an exhausted limit is refilled.
    pub(crate) fn reset(self, headers: &HeaderMap) -> Option<Duration> {
        if headers.contains_key(header::AGE) || parse_number(headers, &REMAINING)? > 0 {
            return None;
        }
        let reset = Duration::from_secs(parse_number(headers, &RESET)?);
        match self {
            Self::GitHub => {
                let now = retry_after::server_time(headers).duration_since(SystemTime::UNIX_EPOCH);
                Some(reset.saturating_sub(now.unwrap_or_default()))
            }
            Self::Reddit => Some(reset),
        }
    }

    /// Returns whether the service reports an exhausted limit by this status, besides 429.
    pub(crate) const fn is_rate_limit_status(self, code: u16) -> bool {
        matches!((self, code), (Self::GitHub, 403))
    }
}

/// Parses a decimal number and rounds a fraction up. Reddit sends fractions.
fn parse_number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let value = headers.get(name)?.as_bytes().trim_ascii();
    let Some(point) = value.iter().position(|byte| *byte == b'.') else {
        return parse_digits(value);
    };
    let (whole, fraction) = (value.get(..point)?, value.get(point + 1..)?);
    let more = u64::from(parse_digits(fraction)? > 0);
    Some(parse_digits(whole)?.saturating_add(more))
}
