//! Classification of responses.

use http::{HeaderMap, StatusCode};
use resilience_core::FailureClass;

use super::classifier::Classifier;

/// Returns the class of a response, for `on_ok = classify_response`.
///
/// A 503 is retried although the response is an `Ok`. A 429 is retried after the delay of the
/// server. A 404 is returned at once. [`Classifier`] has the settings.
///
/// A response does not contain the method of the request. Set `idempotent = false` on a function
/// whose request must not be applied twice.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use http::Response;
/// use resilience::FailureKind;
/// use resilience::http::classify_response;
///
/// let busy = Response::builder().status(429).header("retry-after", "2").body(()).unwrap();
/// let class = classify_response(&busy);
/// assert_eq!((class.kind, class.after), (FailureKind::Throttled, Some(Duration::from_secs(2))));
///
/// let missing = Response::builder().status(404).body(()).unwrap();
/// assert_eq!(classify_response(&missing).kind, FailureKind::Permanent); // final
/// ```
#[must_use]
pub fn classify_response<R: HttpResponse + ?Sized>(response: &R) -> FailureClass {
    Classifier::new().response(response)
}

/// A response of an HTTP client.
#[diagnostic::on_unimplemented(
    message = "`resilience::http` cannot classify the response `{Self}`",
    label = "needs `HttpResponse`",
    note = "for the response of `reqwest`, enable the feature for its version: `reqwest` for 0.13 and `reqwest-012` for 0.12, or `reqwest-blocking` and `reqwest-012-blocking` for the blocking client; `cargo tree -i reqwest` shows the version in use",
    note = "`http::Response` of `http` 1 (also of `hyper` 1, `hyper-util` and `axum`) needs no feature",
    note = "for an error, write `on = resilience::http::classify`; responses belong to `on_ok`",
    note = "for a response behind a pointer, write `on_ok = |response| classify_response(&**response)`",
    note = "for an application type, implement `resilience::http::HttpResponse`"
)]
pub trait HttpResponse {
    /// Returns the status.
    fn status(&self) -> StatusCode;

    /// Returns the headers.
    fn headers(&self) -> &HeaderMap;

    /// Returns the URL of the request that this response answers: after redirects, the URL of the
    /// last request. Default: `None`, unknown.
    fn url(&self) -> Option<&str> {
        None
    }
}

impl HttpResponse for http::response::Parts {
    fn status(&self) -> StatusCode {
        self.status
    }

    fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

/// Implements `HttpResponse` for types with inherent `status` and `headers` methods, and `url`
/// where named.
macro_rules! responses {
    ($($(#[$feature:meta])? $response:ident $(::$path:ident)* $(<$body:ident>)? $(, $url:ident)?);* $(;)?) => {
        $($(#[$feature])? impl$(<$body>)? HttpResponse for $response$(::$path)*$(<$body>)? {
            fn status(&self) -> StatusCode {
                self.status()
            }

            fn headers(&self) -> &HeaderMap {
                self.headers()
            }

            $(fn $url(&self) -> Option<&str> {
                Some(self.$url().as_str())
            })?
        })*
    };
}

responses! {
    http::Response<B>;
    #[cfg(feature = "reqwest")] reqwest::Response, url;
    #[cfg(feature = "reqwest-012")] reqwest_012::Response, url;
    #[cfg(feature = "reqwest-012-blocking")] reqwest_012::blocking::Response, url;
    #[cfg(feature = "reqwest-blocking")] reqwest::blocking::Response, url;
}
