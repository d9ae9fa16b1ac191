//! The protocol of a message: HTTP, gRPC or gRPC-Web.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The protocol of a request, which decides the form of an error, or the protocol of a response,
/// which decides the place of the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
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
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let line = headers.get(CONTENT_TYPE).map_or(&[][..], |line| line.as_bytes());
        let end = line.iter().position(|byte| matches!(byte, b';' | b'+')).unwrap_or(line.len());
        let base = line.get(..end).unwrap_or_default().trim_ascii();
        let known = [
            ("application/grpc", Self::Grpc),
            ("application/grpc-web", Self::GrpcWeb),
            ("application/grpc-web-text", Self::GrpcWebText),
        ];
        let known = known.iter().find(|(name, _)| base.eq_ignore_ascii_case(name.as_bytes()));
        known.map_or(Self::Http, |(_, protocol)| *protocol)
    }

    /// Returns whether the message is gRPC, also gRPC-Web.
    pub(crate) fn is_grpc(self) -> bool {
        self != Self::Http
    }

    /// Returns the content type of an error.
    #[cfg(any(feature = "idempotent", feature = "tower"))]
    pub(crate) const fn error_type(self) -> &'static str {
        match self {
            Self::Http => "application/problem+json",
            Self::Grpc => "application/grpc",
            Self::GrpcWeb => "application/grpc-web+proto",
            Self::GrpcWebText => "application/grpc-web-text+proto",
        }
    }
}
