//! The settings of the classification.

use core::time::Duration;
use std::error::Error;

use resilience_core::FailureClass;

use crate::error::{self, HttpError};
use crate::response::HttpResponse;
use crate::vendor::Vendor;
use crate::{problem, status};

/// The rules of [`classify`](crate::classify) and [`classify_response`](crate::classify_response), for
/// the places where HTTP leaves a choice.
///
/// ```
/// # extern crate resilience_core as resilience;
/// use http::{Response, StatusCode};
/// use resilience::{FailureKind, Effect};
/// use resilience_http::{Classifier, classify_response};
///
/// // Behind a gateway that counts requests after it has passed them on.
/// static RULES: Classifier = Classifier::new().strict_429(true);
///
/// let mut response = Response::new("slow down");
/// *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
/// assert_eq!(classify_response(&response).effect, Effect::Refused);
/// assert_eq!(RULES.response(&response).effect, Effect::Unknown);
/// assert_eq!(RULES.response(&response).kind, FailureKind::Throttled);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "rules do nothing until something is judged by them"]
pub struct Classifier {
    pub(crate) strict_429: bool,
    pub(crate) keyed: bool,
    pub(crate) resource_exhausted: bool,
    pub(crate) longest: Option<Duration>,
    pub(crate) vendor: Option<Vendor>,
}

impl Classifier {
    /// The rules that [`classify`](crate::classify) and
    /// [`classify_response`](crate::classify_response) go by.
    pub const fn new() -> Self {
        Self {
            strict_429: false,
            keyed: false,
            resource_exhausted: false,
            longest: None,
            vendor: None,
        }
    }

    /// Whether a 429 leaves open that the request was applied. Default: `false`, because limiters stand
    /// before the application; a POST is then repeated after a 429.
    pub const fn strict_429(mut self, strict: bool) -> Self {
        self.strict_429 = strict;
        self
    }

    /// Whether the requests carry an idempotency key. A 409 that says when to come back is then the
    /// same request, still under way, and is waited for. Default: `false`.
    pub const fn keyed(mut self, keyed: bool) -> Self {
        self.keyed = keyed;
        self
    }

    /// Whether gRPC's `RESOURCE_EXHAUSTED` is worth another attempt when the server does not say
    /// when. Default: `false`, because the code also stands for a quota that is used up for the day.
    pub const fn resource_exhausted(mut self, throttled: bool) -> Self {
        self.resource_exhausted = throttled;
        self
    }

    /// Shortens what a server asks for to this. Default: nothing is shortened; a wait above the policy's
    /// `max_retry_after` ends the call instead, because whoever comes too early is sent away again.
    pub const fn clamp_retry_after(mut self, longest: Duration) -> Self {
        self.longest = Some(longest);
        self
    }

    /// The service that is called, whose `X-RateLimit-*` headers are read as it means them. Default: none,
    /// and they are not looked at.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use core::time::Duration;
    /// use http::Response;
    /// use resilience::FailureKind;
    /// use resilience_http::{Classifier, Vendor, classify_response};
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

    /// What an error means.
    #[must_use]
    pub fn error<E: HttpError + ?Sized>(&self, error: &E) -> FailureClass {
        self.clamp(error.class(self))
    }

    /// What the first error of a chain that is known means; permanent if none is.
    #[must_use]
    pub fn chain(&self, error: &(dyn Error + 'static)) -> FailureClass {
        self.clamp(error::chain(self, error))
    }

    /// What a response means. One that stands is [`Permanent`](resilience_core::FailureKind::Permanent), as
    /// `on_ok` has it: there is nothing to repeat.
    #[must_use]
    pub fn response<R: HttpResponse + ?Sized>(&self, response: &R) -> FailureClass {
        self.status(response.status(), response.headers())
    }

    /// The same of its status and headers, where nothing else of it is at hand.
    #[must_use]
    pub fn status(&self, status: http::StatusCode, headers: &http::HeaderMap) -> FailureClass {
        self.clamp(status::class(self, status, headers))
    }

    /// The same where the `type` of a problem (RFC 9457) has been read from the body as well. Those of the
    /// draft for `RateLimit` say more than the status: after `quota-exceeded` and
    /// `temporary-reduced-capacity` nothing was done, so that a POST may be repeated, and what follows
    /// `abnormal-usage-detected` would be more of it. Any other leaves it at the status.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use http::{HeaderMap, StatusCode};
    /// use resilience::{FailureClass, Effect};
    /// use resilience_http::Classifier;
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
        let known = problem::class(self, problem, headers);
        known.map_or_else(|| self.status(status, headers), |class| self.clamp(class))
    }

    fn clamp(&self, class: FailureClass) -> FailureClass {
        match (class.after, self.longest) {
            (Some(after), Some(longest)) => class.after(after.min(longest)),
            _ => class,
        }
    }
}

impl Default for Classifier {
    fn default() -> Self {
        Self::new()
    }
}
