//! The headers for the context of a call.

use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue};
use resilience_core::Nested;
use resilience_core::context::{self, Context};

use super::grpc_timeout;
use crate::protocol::Protocol;

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const GRPC_PREVIOUS_ATTEMPTS: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");

const NESTED: HeaderName = HeaderName::from_static("x-request-nested");
const OUTER_ONLY: &str = "outer_only";

/// The format of a deadline in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeadlineFormat {
    /// The time left, in whole milliseconds. Needs no agreement of clocks.
    MillisLeft,
    /// The end as milliseconds since the Unix epoch. Needs synchronized clocks.
    UnixMillis,
}

/// The names of the headers that carry the context of a call.
///
/// | | HTTP, by default | gRPC |
/// |---|---|---|
/// | deadline | `x-request-timeout-ms`, the time left in milliseconds | `grpc-timeout` |
/// | attempt | `x-request-attempt`, from 1 | `grpc-previous-rpc-attempts`, from the second |
/// | priority | `x-request-priority`, a word of [`Priority`] | the same |
/// | [`nested`] | `x-request-nested: outer_only` | the same |
///
/// The attempt is known where a retry sets the context. `nested` is sent if only the client repeats
/// the call.
///
/// [`Priority`]: resilience_core::context::Priority
/// [`nested`]: resilience_core::Nested
///
/// A request with a `content-type` of gRPC is gRPC. Invalid values are ignored.
#[derive(Clone, Debug)]
#[must_use = "headers have no effect until a layer uses them"]
pub struct ContextHeaders {
    deadline: HeaderName,
    format: DeadlineFormat,
    attempt: HeaderName,
    priority: HeaderName,
}

impl Default for ContextHeaders {
    fn default() -> Self {
        Self::new()
    }
}

impl ContextHeaders {
    /// Creates the default names.
    pub const fn new() -> Self {
        Self {
            deadline: HeaderName::from_static("x-request-timeout-ms"),
            format: DeadlineFormat::MillisLeft,
            attempt: HeaderName::from_static("x-request-attempt"),
            priority: HeaderName::from_static("x-request-priority"),
        }
    }

    /// Sets the name and the format of the header with the deadline.
    pub fn deadline(mut self, name: HeaderName, format: DeadlineFormat) -> Self {
        self.deadline = name;
        self.format = format;
        self
    }

    /// Sets the name of the header with the number of the attempt.
    pub fn attempt(mut self, name: HeaderName) -> Self {
        self.attempt = name;
        self
    }

    /// Sets the name of the header with the priority.
    pub fn priority(mut self, name: HeaderName) -> Self {
        self.priority = name;
        self
    }

    /// Writes the current context into the headers of a request. Existing values are replaced,
    /// except for an earlier deadline. A value that the context lacks stays as it is.
    pub fn write(&self, headers: &mut HeaderMap) {
        let is_grpc = Protocol::of(headers).is_grpc();
        if let Some(left) = context::remaining() {
            let (name, value, known) = if is_grpc {
                (&GRPC_TIMEOUT, grpc_timeout::format(left), of_grpc(headers))
            } else {
                (&self.deadline, self.format.write(left), self.of_http(headers))
            };
            if known.is_none_or(|known| known > left) {
                insert(headers, name, &value);
            }
        }
        if let Some(attempt) = context::attempt() {
            if !is_grpc {
                insert(headers, &self.attempt, &attempt.to_string());
            } else if let Some(previous) = attempt.checked_sub(1).filter(|count| *count > 0) {
                insert(headers, &GRPC_PREVIOUS_ATTEMPTS, &previous.to_string());
            }
        }
        if context::nested() == Some(Nested::OuterOnly) {
            headers.insert(NESTED, HeaderValue::from_static(OUTER_ONLY));
        }
        if let Some(priority) = context::priority() {
            headers.insert(&self.priority, HeaderValue::from_static(priority.as_str()));
        }
    }

    /// Returns the context of a request with these headers, with a deadline of at most `max` from
    /// now. `set_by` is the name of the deadline in rejections.
    pub fn read(&self, headers: &HeaderMap, max: Duration, set_by: &'static str) -> Context {
        let left = self.time_left(headers).map_or(max, |left| left.min(max));
        let mut context = Context::new().deadline(left, set_by);
        let number = |name: &HeaderName| digits(text(headers, name)?)?.parse::<u32>().ok();
        let previous = number(&GRPC_PREVIOUS_ATTEMPTS).filter(|_| Protocol::of(headers).is_grpc());
        let attempt = previous.map(|previous| previous.saturating_add(1));
        if let Some(attempt) = attempt.or_else(|| number(&self.attempt)) {
            context = context.attempt(attempt);
        }
        if text(headers, &NESTED) == Some(OUTER_ONLY) {
            context = context.nested(Nested::OuterOnly);
        }
        if let Some(Ok(priority)) = text(headers, &self.priority).map(str::parse) {
            context = context.priority(priority);
        }
        context
    }

    /// Returns the time that the client leaves: zero after the deadline, and `None` without a valid
    /// deadline.
    pub(crate) fn time_left(&self, headers: &HeaderMap) -> Option<Duration> {
        of_grpc(headers).into_iter().chain(self.of_http(headers)).min()
    }

    fn of_http(&self, headers: &HeaderMap) -> Option<Duration> {
        self.format.read(text(headers, &self.deadline)?)
    }
}

fn of_grpc(headers: &HeaderMap) -> Option<Duration> {
    grpc_timeout::parse(text(headers, &GRPC_TIMEOUT)?)
}

impl DeadlineFormat {
    fn write(self, left: Duration) -> String {
        let time = match self {
            // A server would refuse a request with zero.
            Self::MillisLeft if !left.is_zero() => left.max(Duration::from_millis(1)),
            Self::MillisLeft => left,
            Self::UnixMillis => since_epoch().saturating_add(left),
        };
        time.as_millis().to_string()
    }

    fn read(self, value: &str) -> Option<Duration> {
        let time = Duration::from_millis(digits(value)?.parse().ok()?);
        Some(match self {
            Self::MillisLeft => time,
            Self::UnixMillis => time.saturating_sub(since_epoch()),
        })
    }
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Returns the text if all characters are digits: a number of Rust may have a sign.
fn digits(text: &str) -> Option<&str> {
    Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn insert(headers: &mut HeaderMap, name: &HeaderName, value: &str) {
    // Digits and letters always parse.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
