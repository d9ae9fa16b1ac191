//! The settings of the classification.

use core::time::Duration;
use std::error::Error;

use resilience_core::FailureClass;

use super::error::{self, HttpError};
use super::response::HttpResponse;
use super::vendor::Vendor;
use super::{problem_type, status};

/// The rules of [`classify`](crate::classify) and [`classify_response`](crate::classify_response),
/// with a setting for each choice HTTP leaves open.
///
/// # Examples
///
/// ```
/// use http::{Response, StatusCode};
/// use resilience::{FailureKind, Effect};
/// use resilience::http::{Classifier, classify_response};
///
/// // For a gateway that counts requests after forwarding.
/// static RULES: Classifier = Classifier::new().strict_429(true);
///
/// let mut response = Response::new("slow down");
/// *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
/// assert_eq!(classify_response(&response).effect, Effect::Refused);
/// assert_eq!(RULES.response(&response).effect, Effect::Unknown);
/// assert_eq!(RULES.response(&response).kind, FailureKind::Throttled);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a classifier has no effect until a response or an error is classified"]
pub struct Classifier {
    pub(crate) strict_429: bool,
    pub(crate) keyed: bool,
    pub(crate) resource_exhausted: bool,
    pub(crate) max_retry_after: Option<Duration>,
    pub(crate) vendor: Option<Vendor>,
}

impl Classifier {
    /// Creates the default rules of [`classify`](crate::classify) and
    /// [`classify_response`](crate::classify_response).
    pub const fn new() -> Self {
        Self {
            strict_429: false,
            keyed: false,
            resource_exhausted: false,
            max_retry_after: None,
            vendor: None,
        }
    }

    /// Sets whether a server may apply a request and still answer 429. Default: `false`, because
    /// limiters run before the application. With `false`, a POST is retried after a 429.
    pub const fn strict_429(mut self, strict: bool) -> Self {
        self.strict_429 = strict;
        self
    }

    /// Sets whether the requests carry an idempotency key. Default: `false`.
    ///
    /// With `true`, a 409 with an explicit delay means "the first request is still running" and is
    /// retried after the delay.
    pub const fn keyed(mut self, keyed: bool) -> Self {
        self.keyed = keyed;
        self
    }

    /// Sets whether gRPC's `RESOURCE_EXHAUSTED` is retried if the server names no delay. Default:
    /// `false`, because the code also reports a quota used up for the day.
    pub const fn resource_exhausted(mut self, throttled: bool) -> Self {
        self.resource_exhausted = throttled;
        self
    }

    /// Sets the longest delay accepted from a server; a longer delay is shortened to
    /// `max_retry_after`.
    ///
    /// By default no delay is shortened. A delay above the policy's `max_retry_after` then ends
    /// the call, because an early request is rejected again.
    pub const fn clamp_retry_after(mut self, max_retry_after: Duration) -> Self {
        self.max_retry_after = Some(max_retry_after);
        self
    }

    /// Sets the called service, so that `X-RateLimit-*` headers are read in the format of the
    /// service.
    ///
    /// Default: no service, and the headers are ignored.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use http::Response;
    /// use resilience::FailureKind;
    /// use resilience::http::{Classifier, Vendor, classify_response};
    ///
    /// let limited = Response::builder()
    ///     .status(403)
    ///     .header("date", "Tue, 15 Nov 1994 08:12:31 GMT")
    ///     .header("x-ratelimit-remaining", "0")
    ///     .header("x-ratelimit-reset", "784887161") // ten seconds later
    ///     .body(())
    ///     .unwrap();
    /// let class = Classifier::new().vendor(Vendor::GitHub).response(&limited);
    /// assert_eq!((class.kind, class.after), (FailureKind::Throttled, Some(Duration::from_secs(10))));
    /// assert_eq!(classify_response(&limited).kind, FailureKind::Permanent); // a plain 403
    /// ```
    pub const fn vendor(mut self, vendor: Vendor) -> Self {
        self.vendor = Some(vendor);
        self
    }

    /// Returns the class of an error.
    #[must_use]
    pub fn error<E: HttpError + ?Sized>(&self, error: &E) -> FailureClass {
        self.clamp(error.class(self))
    }

    /// Returns the class of the first known error in a chain of sources, or a permanent failure if
    /// the chain has no known error.
    #[must_use]
    pub fn chain(&self, error: &(dyn Error + 'static)) -> FailureClass {
        self.clamp(error::classify_sources(self, error))
    }

    /// Returns the class of a response.
    ///
    /// A final response, such as a 200 or a 404, is
    /// [`Permanent`](resilience_core::FailureKind::Permanent): `on_ok` does not retry a permanent
    /// outcome.
    #[must_use]
    pub fn response<R: HttpResponse + ?Sized>(&self, response: &R) -> FailureClass {
        self.status(response.status(), response.headers())
    }

    /// Returns the class of a response, given the status and the headers.
    #[must_use]
    pub fn status(&self, status: http::StatusCode, headers: &http::HeaderMap) -> FailureClass {
        self.clamp(status::classify_status(self, status, headers))
    }

    /// Returns the class of a response whose body is a problem (RFC 9457), given the `type` of the
    /// problem.
    ///
    /// Three problem types of the IETF draft for `RateLimit` are known:
    ///
    /// - `quota-exceeded` and `temporary-reduced-capacity`: the request was not applied, so a POST
    ///   is retried.
    /// - `abnormal-usage-detected`: a retry would add to the abnormal usage, so the failure is
    ///   permanent.
    ///
    /// For another type, the status decides.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::{HeaderMap, StatusCode};
    /// use resilience::{FailureClass, Effect};
    /// use resilience::http::Classifier;
    ///
    /// // Of `{"type": "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"}`
    /// let problem = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";
    /// let busy = StatusCode::SERVICE_UNAVAILABLE;
    /// let class = Classifier::new().problem(problem, busy, &HeaderMap::new());
    /// assert_eq!(class, FailureClass::throttled(None).effect(Effect::Refused));
    /// ```
    #[must_use]
    pub fn problem(
        &self,
        problem: &str,
        status: http::StatusCode,
        headers: &http::HeaderMap,
    ) -> FailureClass {
        let known = problem_type::classify_problem(self, problem, headers);
        known.map_or_else(|| self.status(status, headers), |class| self.clamp(class))
    }

    /// Returns the class of an error, or `None` if the rules do not know the error.
    #[cfg(feature = "tower")]
    pub(crate) fn known_error<E: HttpError + ?Sized>(&self, error: &E) -> Option<FailureClass> {
        error.known_class(self).map(|class| self.clamp(class))
    }

    fn clamp(&self, class: FailureClass) -> FailureClass {
        match (class.after, self.max_retry_after) {
            (Some(after), Some(max_retry_after)) => class.after(after.min(max_retry_after)),
            _ => class,
        }
    }
}

impl Default for Classifier {
    fn default() -> Self {
        Self::new()
    }
}
