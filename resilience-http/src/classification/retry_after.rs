//! The delay a server asks for.

use core::time::Duration;
use std::time::SystemTime;

use http::{HeaderMap, HeaderName, header};

use super::rate_limit_field;
use super::vendor::Vendor;

/// Headers with a delay in milliseconds.
static MILLISECOND_HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("retry-after-ms"),
    HeaderName::from_static("x-ms-retry-after-ms"),
    HeaderName::from_static("x-amz-retry-after"),
];

/// The longest `Age`, in seconds (RFC 9111, section 1.2.2).
const MAX_AGE: u64 = 1 << 31;

/// A value of the `Retry-After` header: a number of seconds, or a date.
///
/// The format is strict. Rejected are `+5`, `-1`, `1.5`, `1e9`, `120, 60`, digits outside ASCII,
/// and a date with the wrong weekday. A number above `u64::MAX` counts as `u64::MAX`.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use resilience::http::RetryAfter;
///
/// let seconds = RetryAfter::parse(b"120");
/// assert_eq!(seconds, Some(RetryAfter::Delay(Duration::from_secs(120))));
/// let date = RetryAfter::parse(b"Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
/// let now = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_774);
/// assert_eq!(date.delay(now), Duration::from_secs(3));
/// assert_eq!(RetryAfter::parse(b"+5"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// A delay from now.
    Delay(Duration),
    /// The earliest time of the next request.
    At(SystemTime),
}

impl RetryAfter {
    /// Parses the raw value of the header.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let value = trim(value);
        if let Some(seconds) = parse_digits(value) {
            return Some(Self::Delay(Duration::from_secs(seconds)));
        }
        let date = core::str::from_utf8(value).ok()?;
        httpdate::parse_http_date(date).ok().map(Self::At)
    }

    /// Returns the delay from `now` until the next request, or zero for a date in the past.
    ///
    /// Pass the `Date` of the response plus the `Age` as `now` if the response has a `Date`.
    #[must_use]
    pub fn delay(self, now: SystemTime) -> Duration {
        match self {
            Self::Delay(delay) => delay,
            Self::At(date) => date.duration_since(now).unwrap_or(Duration::ZERO),
        }
    }
}

/// Returns the delay a server asks for in the headers of a response.
///
/// The first of these sources decides:
///
/// 1. `retry-after-ms`, `x-ms-retry-after-ms` and `x-amz-retry-after`, in milliseconds;
/// 2. `Retry-After`, in seconds or as a date;
/// 3. a `RateLimit` field with no requests left.
///
/// The longest of several lines counts. Malformed values are ignored.
///
/// A date is compared with the `Date` of the response plus the `Age` that a cache reports, so a
/// wrong local clock does no harm. Without a `Date`, the local clock counts.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use http::{HeaderMap, HeaderValue, header};
/// use resilience::http::retry_after;
///
/// let mut headers = HeaderMap::new();
/// headers.insert(header::DATE, HeaderValue::from_static("Tue, 15 Nov 1994 08:12:31 GMT"));
/// headers.insert(header::RETRY_AFTER, HeaderValue::from_static("Tue, 15 Nov 1994 08:12:36 GMT"));
/// assert_eq!(retry_after(&headers), Some(Duration::from_secs(5)));
/// ```
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    ServerDelay::read(headers, None).delay()
}

/// The delay in the headers of a response, by source.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ServerDelay {
    /// An explicit delay, such as `Retry-After`.
    Explicit(Duration),
    /// The time until an exhausted limit is refilled.
    LimitReset(Duration),
    /// The server asks for a delay, and the header is malformed.
    Unreadable,
    Absent,
}

impl ServerDelay {
    pub(crate) fn read(headers: &HeaderMap, vendor: Option<Vendor>) -> Self {
        if let Some(delay) = millisecond_header(headers).or_else(|| retry_after_header(headers)) {
            return Self::Explicit(delay);
        }
        if let Some(reset) =
            rate_limit_field::time_until_reset(headers).or_else(|| vendor?.reset(headers))
        {
            return Self::LimitReset(reset);
        }
        let mut explicit = MILLISECOND_HEADERS.iter().chain([&header::RETRY_AFTER]);
        if explicit.any(|name| headers.contains_key(name)) {
            Self::Unreadable
        } else {
            Self::Absent
        }
    }

    pub(crate) const fn is_explicit(self) -> bool {
        matches!(self, Self::Explicit(_))
    }

    pub(crate) const fn delay(self) -> Option<Duration> {
        match self {
            Self::Explicit(delay) | Self::LimitReset(delay) => Some(delay),
            Self::Unreadable | Self::Absent => None,
        }
    }
}

fn millisecond_header(headers: &HeaderMap) -> Option<Duration> {
    let lines = MILLISECOND_HEADERS.iter().flat_map(|name| headers.get_all(name));
    lines.filter_map(|line| parse_digits(trim(line.as_bytes()))).max().map(Duration::from_millis)
}

fn retry_after_header(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all(header::RETRY_AFTER);
    let values = lines.iter().filter_map(|line| RetryAfter::parse(line.as_bytes()));
    values.map(|value| value.delay(server_time(headers))).max()
}

/// Returns the time of the server, or the local time if the response has no valid `Date`.
///
/// The time of the server is the `Date` plus the `Age`: a cache keeps the `Date` of the origin
/// (RFC 9111, section 4.2.3).
pub(crate) fn server_time(headers: &HeaderMap) -> SystemTime {
    let date = headers.get(header::DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    let age = headers.get(header::AGE).and_then(|age| parse_digits(trim(age.as_bytes())));
    let age = Duration::from_secs(age.unwrap_or_default().min(MAX_AGE));
    date.map_or_else(SystemTime::now, |date| date.checked_add(age).unwrap_or(date))
}

/// Removes spaces and tabs at both ends.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Parses a number of ASCII digits. `str::parse` also accepts a leading `+`.
pub(crate) fn parse_digits(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = value.iter().map(|digit| u64::from(digit - b'0'));
    Some(digits.fold(0, |number, digit| u64::saturating_add(number.saturating_mul(10), digit)))
}
