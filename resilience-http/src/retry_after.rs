//! When a server says to come back.

use core::time::Duration;
use std::time::SystemTime;

use http::{HeaderMap, HeaderName, header};

use crate::rate_limit;
use crate::vendor::Vendor;

/// The headers that say it in milliseconds.
static MILLIS: [HeaderName; 3] = [
    HeaderName::from_static("retry-after-ms"),
    HeaderName::from_static("x-ms-retry-after-ms"),
    HeaderName::from_static("x-amz-retry-after"),
];

/// A value of `Retry-After`: seconds, or a date.
///
/// Whatever is neither by the letter of the specification is nothing: `+5`, `-1`, `1.5`, `1e9`,
/// `120, 60`, digits of other scripts, a date with the wrong weekday. A number too large to count is the
/// largest.
///
/// ```
/// use core::time::Duration;
/// use resilience_http::RetryAfter;
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
    /// So long from now.
    Delay(Duration),
    /// Not before this.
    At(SystemTime),
}

impl RetryAfter {
    /// Reads a value of the header, as it stands there.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let value = trim(value);
        if let Some(seconds) = digits(value) {
            return Some(Self::Delay(Duration::from_secs(seconds)));
        }
        let date = core::str::from_utf8(value).ok()?;
        httpdate::parse_http_date(date).ok().map(Self::At)
    }

    /// How long that is from `now`, which is the response's own `Date` where it has one. Zero for what
    /// has passed.
    #[must_use]
    pub fn delay(self, now: SystemTime) -> Duration {
        match self {
            Self::Delay(delay) => delay,
            Self::At(date) => date.duration_since(now).unwrap_or(Duration::ZERO),
        }
    }
}

/// How long the server of a response asks to wait, by whichever of its headers says so: `retry-after-ms`,
/// `x-ms-retry-after-ms` and `x-amz-retry-after` in milliseconds, then `Retry-After`, then a `RateLimit`
/// with nothing left. Of several lines the longest counts; what cannot be read is passed over.
///
/// A date is taken against the `Date` of the response, so that a clock that is wrong here does no harm,
/// and against the clock here if it has none.
///
/// ```
/// use core::time::Duration;
/// use http::{HeaderMap, HeaderValue, header};
/// use resilience_http::retry_after;
///
/// let mut headers = HeaderMap::new();
/// headers.insert(header::DATE, HeaderValue::from_static("Tue, 15 Nov 1994 08:12:31 GMT"));
/// headers.insert(header::RETRY_AFTER, HeaderValue::from_static("Tue, 15 Nov 1994 08:12:36 GMT"));
/// assert_eq!(retry_after(&headers), Some(Duration::from_secs(5)));
/// ```
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    Asked::read(headers, None).delay()
}

/// What the headers of a response ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked {
    /// A wait, in so many words.
    Demanded(Duration),
    /// A limit that is used up until then.
    Hinted(Duration),
    Nothing,
}

impl Asked {
    pub(crate) fn read(headers: &HeaderMap, vendor: Option<Vendor>) -> Self {
        if let Some(delay) = millis(headers).or_else(|| standard(headers)) {
            return Self::Demanded(delay);
        }
        let reset = rate_limit::reset(headers).or_else(|| vendor?.reset(headers));
        reset.map_or(Self::Nothing, Self::Hinted)
    }

    pub(crate) const fn is_demanded(self) -> bool {
        matches!(self, Self::Demanded(_))
    }

    pub(crate) const fn delay(self) -> Option<Duration> {
        match self {
            Self::Demanded(delay) | Self::Hinted(delay) => Some(delay),
            Self::Nothing => None,
        }
    }
}

fn millis(headers: &HeaderMap) -> Option<Duration> {
    let lines = MILLIS.iter().flat_map(|name| headers.get_all(name));
    lines.filter_map(|line| digits(trim(line.as_bytes()))).max().map(Duration::from_millis)
}

fn standard(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all(header::RETRY_AFTER);
    let values = lines.iter().filter_map(|line| RetryAfter::parse(line.as_bytes()));
    values.map(|value| value.delay(date(headers))).max()
}

/// The time by the clock of the server, or else by ours.
pub(crate) fn date(headers: &HeaderMap) -> SystemTime {
    let date = headers.get(header::DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    date.unwrap_or_else(SystemTime::now)
}

/// Without the spaces and tabs around it.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// A number of ASCII digits and nothing else; `str::parse` would take a `+` as well.
pub(crate) fn digits(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = value.iter().map(|digit| u64::from(digit - b'0'));
    Some(digits.fold(0, |number, digit| u64::saturating_add(number.saturating_mul(10), digit)))
}
