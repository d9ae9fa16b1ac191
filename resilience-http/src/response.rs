//! What a response means.

use http::{HeaderMap, StatusCode};
use resilience_core::FailureClass;

use crate::classifier::Classifier;

/// What a response means, for `on_ok`: a 503 is repeated without being turned into an error, a 429 waits
/// as long as the server says, a 404 is returned at once. [`Classifier`] has the choices.
///
/// The response does not know the method of its request: on a function whose request must not be applied
/// twice, say `idempotent = false`.
///
/// ```
/// # extern crate resilience_core as resilience;
/// use core::time::Duration;
/// use http::Response;
/// use resilience::FailureKind;
/// use resilience_http::classify_response;
///
/// let busy = Response::builder().status(429).header("retry-after", "2").body(()).unwrap();
/// let class = classify_response(&busy);
/// assert_eq!((class.kind, class.after), (FailureKind::Throttled, Some(Duration::from_secs(2))));
///
/// let missing = Response::builder().status(404).body(()).unwrap();
/// assert_eq!(classify_response(&missing).kind, FailureKind::Permanent); // it stands
/// ```
#[must_use]
pub fn classify_response<R: HttpResponse + ?Sized>(response: &R) -> FailureClass {
    Classifier::new().response(response)
}

/// A response, of whichever client.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no HTTP response that `resilience::http` knows",
    label = "needs `HttpResponse`",
    note = "those of `http` are known (which are also those of `hyper`, `hyper-util` and `axum`), with the feature `reqwest` those of `reqwest`, and with `reqwest-blocking` those of its blocking client",
    note = "for a type of your own, implement `resilience::http::HttpResponse`: its status and its headers"
)]
pub trait HttpResponse {
    /// Its status.
    fn status(&self) -> StatusCode;

    /// Its headers.
    fn headers(&self) -> &HeaderMap;
}

impl HttpResponse for http::response::Parts {
    fn status(&self) -> StatusCode {
        self.status
    }

    fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

/// Types with methods of these names.
macro_rules! responses {
    ($($(#[$feature:meta])? $response:ident $(::$path:ident)* $(<$body:ident>)?),* $(,)?) => {
        $($(#[$feature])? impl$(<$body>)? HttpResponse for $response$(::$path)*$(<$body>)? {
            fn status(&self) -> StatusCode {
                self.status()
            }

            fn headers(&self) -> &HeaderMap {
                self.headers()
            }
        })*
    };
}

responses! {
    http::Response<B>,
    #[cfg(feature = "reqwest")] reqwest::Response,
    #[cfg(feature = "reqwest-blocking")] reqwest::blocking::Response,
}
