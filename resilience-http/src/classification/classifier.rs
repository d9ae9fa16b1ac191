//! The settings of the classification.

use core::time::Duration;
use std::error::Error;

use resilience_core::{Effect, FailureClass};

use super::error::{self, HttpError};
use super::response::HttpResponse;
use super::vendor::Vendor;
use super::{problem_type, request_url, status};

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
    /// `None` if undeclared.
    follows_redirects: Option<bool>,
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
            follows_redirects: None,
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
    /// With `true`, a 409 means "the first request is still running" and is retried: after the
    /// delay of the server, or after short delays that grow.
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

    /// Sets whether the client follows redirects by itself, as `reqwest` does by default. Default:
    /// [`RetryLayer`](crate::RetryLayer) assumes redirects for `reqwest`, and functions assume
    /// none.
    ///
    /// A client reports the failure of the last request only. With `true`, an error or a refusal is
    /// therefore no proof that the first request was not applied: a POST with the response 303 was
    /// applied, even if the new location refuses the connection or answers 429. `RetryLayer`
    /// repeats such a POST with a key only, and a function can compare URLs with
    /// [`response_to`](Self::response_to).
    ///
    /// A client without redirects (`redirect::Policy::none()`) is the better choice for a POST,
    /// because a refused connection then proves that nothing was sent.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io::{Error, ErrorKind};
    /// use resilience::Effect;
    /// use resilience::http::Classifier;
    ///
    /// let refused = Error::from(ErrorKind::ConnectionRefused);
    /// assert_eq!(Classifier::new().error(&refused).effect, Effect::NotSent);
    /// let redirected = Classifier::new().follows_redirects(true);
    /// assert_eq!(redirected.error(&refused).effect, Effect::Unknown);
    /// ```
    pub const fn follows_redirects(mut self, follows: bool) -> Self {
        self.follows_redirects = Some(follows);
        self
    }

    /// Returns the rules for a client that follows redirects by default.
    #[cfg(feature = "tower")]
    pub(crate) fn expecting_redirects(self) -> Self {
        self.follows_redirects(self.follows_redirects.unwrap_or(true))
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
        self.of_unknown_request(self.status(response.status(), response.headers()))
    }

    /// Returns the class of the response to a request with this URL.
    ///
    /// A refusal by another URL, such as a 429 after a redirect, does not prove that the request
    /// was not applied. A redirect back to the URL of the request cannot be recognized.
    ///
    /// With the feature of a client that reports the URL, such as `reqwest`, two spellings of one
    /// URL are equal, such as `HTTP://API.EXAMPLE:80` and `http://api.example/`. A URL that is not
    /// absolute, such as a path, equals no URL of a response.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use reqwest::{Client, Response};
    /// use resilience::http::Classifier;
    /// use resilience::retry;
    ///
    /// static RULES: Classifier = Classifier::new().follows_redirects(true);
    ///
    /// #[retry(
    ///     idempotent = false,
    ///     on = |error| RULES.error(error),
    ///     on_ok = |response| RULES.response_to(url, response)
    /// )]
    /// async fn pay(client: &Client, url: &str) -> reqwest::Result<Response> {
    ///     client.post(url).body("amount=5").send().await
    /// }
    /// ```
    #[must_use]
    pub fn response_to<R: HttpResponse + ?Sized>(&self, url: &str, response: &R) -> FailureClass {
        let class = self.status(response.status(), response.headers());
        match response.url() {
            Some(answered) if request_url::are_equal(answered, url) => class,
            Some(_) => unproven(class),
            None => self.of_unknown_request(class),
        }
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

    /// Returns the class of an outcome whose request is unknown: the request of the caller, or a
    /// request after a redirect.
    pub(crate) fn of_unknown_request(&self, class: FailureClass) -> FailureClass {
        if self.follows_redirects == Some(true) { unproven(class) } else { class }
    }

    fn clamp(&self, class: FailureClass) -> FailureClass {
        match (class.after, self.max_retry_after) {
            (Some(after), Some(max_retry_after)) => class.after(after.min(max_retry_after)),
            _ => class,
        }
    }
}

/// Removes the proof that the request was not applied.
fn unproven(class: FailureClass) -> FailureClass {
    if class.effect.is_not_applied() { class.effect(Effect::Unknown) } else { class }
}

impl Default for Classifier {
    fn default() -> Self {
        Self::new()
    }
}
