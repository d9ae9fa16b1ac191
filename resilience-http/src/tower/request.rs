//! What the layers ask a request.

use http::uri::Authority;
use http::{HeaderMap, Method, header};

/// A request, of whichever client: those of `http`, and with the feature `reqwest` those of `reqwest`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no HTTP request that `resilience::http` knows",
    label = "needs `HttpRequest`",
    note = "those of `http` are known (which are also those of `hyper`, `hyper-util` and `axum`), and with the feature `reqwest` those of `reqwest`",
    note = "for a type of your own, implement `resilience::http::HttpRequest`"
)]
pub trait HttpRequest {
    /// Its method.
    fn method(&self) -> &Method;

    /// Its headers.
    fn headers(&self) -> &HeaderMap;

    /// Its headers, for an idempotency key.
    fn headers_mut(&mut self) -> &mut HeaderMap;

    /// The host that it goes to, with the port where one is written; empty where it is not known.
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
        let authority = self.uri().authority().map(Authority::as_str);
        let header = || self.headers().get(header::HOST)?.to_str().ok();
        without_user(authority.or_else(header).unwrap_or_default())
    }
}

#[cfg(feature = "reqwest")]
impl HttpRequest for reqwest::Request {
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
        without_user(self.url().authority())
    }
}

fn without_user(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}
