//! The context in calls of `tonic`.

use core::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use resilience_core::__internal::overdue;
use resilience_core::context::Context;
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

use super::ContextHeaders;

/// Writes the context of the running code into a call of `tonic`: an interceptor for clients.
///
/// ```
/// use core::time::Duration;
/// use resilience::context::Context;
/// use resilience::http::with_context;
///
/// // GreeterClient::with_interceptor(channel, with_context)
/// let call = || with_context(tonic::Request::new(()));
/// let request = Context::new().deadline(Duration::from_secs(5), "import").run(call)?;
/// assert!(request.metadata().contains_key("grpc-timeout"));
/// # Ok::<(), tonic::Status>(())
/// ```
///
/// # Errors
/// `DEADLINE_EXCEEDED` after the deadline: the call is not sent.
pub fn with_context(mut request: Request<()>) -> Result<Request<()>, Status> {
    if let Some(rejected) = overdue("grpc", None) {
        return Err(rejected.into());
    }
    let metadata = core::mem::take(request.metadata_mut());
    let mut headers = metadata.into_headers();
    // An interceptor runs before `tonic` sets the type.
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    ContextHeaders::new().write(&mut headers);
    headers.remove(header::CONTENT_TYPE);
    *request.metadata_mut() = MetadataMap::from_headers(headers);
    Ok(request)
}

/// Returns the context of a call on the server, with a deadline of at most `max` from now: for a
/// server without [`ServerContextLayer`](crate::ServerContextLayer).
///
/// ```
/// use core::time::Duration;
/// use resilience::http::context_from;
///
/// let mut request = tonic::Request::new(());
/// request.set_timeout(Duration::from_secs(5));
/// let context = context_from(request.metadata(), Duration::from_secs(30));
/// assert!(context.remaining() <= Some(Duration::from_secs(5)));
/// ```
pub fn context_from(metadata: &MetadataMap, max: Duration) -> Context {
    let mut headers: HeaderMap = metadata.clone().into_headers();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    ContextHeaders::new().read(&headers, max, "the client")
}
