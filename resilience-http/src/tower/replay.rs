//! Requests for further attempts.

use core::fmt;

/// Makes the request of the next attempt before the service consumes the current request.
#[diagnostic::on_unimplemented(
    message = "`{Request}` cannot be sent a second time",
    label = "its body is not `Clone`",
    note = "use a body that is, such as `String` or `http_body_util::Full<Bytes>`, or say which bodies can be sent again: `RetryLayer::new(policy).replay(|body: &axum::body::Body| body.is_end_stream().then(axum::body::Body::empty))`"
)]
pub trait Replay<Request> {
    /// Returns a copy of the request, or `None` if the body cannot be sent again. A call without a
    /// copy has a single attempt.
    fn replay(&self, request: &Request) -> Option<Request>;
}

/// Clones the request: for a body with `Clone`, and for `reqwest` requests with a body in memory.
#[derive(Clone, Copy, Debug)]
pub struct ReplayByClone;

#[diagnostic::do_not_recommend]
impl<B: Clone> Replay<http::Request<B>> for ReplayByClone {
    fn replay(&self, request: &http::Request<B>) -> Option<http::Request<B>> {
        Some(request.clone())
    }
}

macro_rules! reqwest_replays {
    ($(#[$feature:meta] $request:ty),*) => {
        $(
            #[$feature]
            impl Replay<$request> for ReplayByClone {
                fn replay(&self, request: &$request) -> Option<$request> {
                    request.try_clone()
                }
            }
        )*
    };
}

reqwest_replays! {
    #[cfg(feature = "reqwest")] reqwest::Request,
    #[cfg(feature = "reqwest-012")] reqwest_012::Request
}

/// Copies the body by a function; see [`RetryLayer::replay`](crate::RetryLayer::replay).
#[derive(Clone, Copy)]
pub struct ReplayWith<F>(pub(super) F);

impl<B, F: Fn(&B) -> Option<B>> Replay<http::Request<B>> for ReplayWith<F> {
    fn replay(&self, request: &http::Request<B>) -> Option<http::Request<B>> {
        let mut copy = http::Request::new((self.0)(request.body())?);
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.version_mut() = request.version();
        copy.headers_mut().clone_from(request.headers());
        copy.extensions_mut().clone_from(request.extensions());
        Some(copy)
    }
}

impl<F> fmt::Debug for ReplayWith<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayWith").finish_non_exhaustive()
    }
}
