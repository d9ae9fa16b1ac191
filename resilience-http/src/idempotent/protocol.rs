//! The protocol of a message: HTTP, gRPC or gRPC-Web.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::media_type::MediaType;

/// The protocol of a request, which decides the form of a problem, or the protocol of a response,
/// which decides the place of the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    /// The status is in the trailers.
    Grpc,
    /// The status is at the end of the body.
    GrpcWeb,
    /// As gRPC-Web, with a body in Base64.
    GrpcWebText,
}

impl Protocol {
    /// Returns the protocol of the content type.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let line = headers.get(CONTENT_TYPE);
        let Some(media_type) = line.and_then(|line| MediaType::parse(line.as_bytes())) else {
            return Self::Http;
        };
        let essence = media_type.essence();
        let (base, _) = essence.split_once('+').unwrap_or((essence, ""));
        match base {
            "application/grpc" => Self::Grpc,
            "application/grpc-web" => Self::GrpcWeb,
            "application/grpc-web-text" => Self::GrpcWebText,
            _ => Self::Http,
        }
    }

    /// Returns the content type of a problem.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Http => "application/problem+json",
            Self::Grpc => "application/grpc",
            Self::GrpcWeb => "application/grpc-web+proto",
            Self::GrpcWebText => "application/grpc-web-text+proto",
        }
    }
}
