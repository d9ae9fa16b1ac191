//! The request as seen by the layers.

use http::uri::Authority;
use http::{HeaderMap, Method, Uri, header};

/// A request of `http`, or of `reqwest` with the feature `reqwest` or `reqwest-012`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an HTTP request known to `resilience::http`",
    label = "needs `HttpRequest`",
    note = "the known requests are `http::Request` (also of `hyper`, `hyper-util` and `axum`), and `reqwest::Request` with the feature `reqwest` (0.13) or `reqwest-012`",
    note = "for an application type, implement `resilience::http::HttpRequest`"
)]
pub trait HttpRequest {
    /// Returns the method.
    fn method(&self) -> &Method;

    /// Returns the headers.
    fn headers(&self) -> &HeaderMap;

    /// Returns the headers for the insertion of an idempotency key.
    fn headers_mut(&mut self) -> &mut HeaderMap;

    /// Returns whether the client of the request follows redirects by default. A refusal is then no
    /// proof that the request was not applied. Default: `false`.
    fn may_be_redirected(&self) -> bool {
        false
    }

    /// Returns the host, with a port if the request names a port, or an empty string for an
    /// unknown host.
    fn host(&self) -> &str;
}

impl<B> HttpRequest for http::Request<B> {
    fn method(&self) -> &Method {
        self.method()
    }

    fn headers(&self) -> &HeaderMap {
        self.headers()
    }

    fn headers_mut(&mut self) -> &mut HeaderMap {
        self.headers_mut()
    }

    fn host(&self) -> &str {
        let header = || self.headers().get(header::HOST)?.to_str().ok().map(without_user);
        host_of(self.uri()).or_else(header).unwrap_or_default()
    }
}

macro_rules! reqwest_requests {
    ($(#[$feature:meta] $request:ty),*) => {
        $(
            #[$feature]
            impl HttpRequest for $request {
                fn method(&self) -> &Method {
                    self.method()
                }

                fn headers(&self) -> &HeaderMap {
                    self.headers()
                }

                fn headers_mut(&mut self) -> &mut HeaderMap {
                    self.headers_mut()
                }

                fn may_be_redirected(&self) -> bool {
                    true
                }

                fn host(&self) -> &str {
                    without_user(self.url().authority())
                }
            }
        )*
    };
}

reqwest_requests! {
    #[cfg(feature = "reqwest")] reqwest::Request,
    #[cfg(feature = "reqwest-012")] reqwest_012::Request
}

/// Returns the host of a URL, with a port if the URL names a port.
pub(super) fn host_of(url: &Uri) -> Option<&str> {
    url.authority().map(Authority::as_str).map(without_user)
}

fn without_user(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}
