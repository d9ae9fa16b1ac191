//! The choice of headers and trailers to store with a response.

use http::header::{self, HeaderMap, HeaderName};

use super::grpc;

/// The headers that a replay repeats under their own name.
///
/// The list covers the headers that describe the content, and the headers that tell a browser or a
/// cache how to treat the content.
static DEFAULT: [HeaderName; 36] = [
    header::ACCEPT_RANGES,
    header::ALLOW,
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    // The body is unreadable without the encoding.
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LOCATION,
    header::CONTENT_RANGE,
    header::CONTENT_SECURITY_POLICY,
    header::CONTENT_TYPE,
    header::ETAG,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::LINK,
    header::LOCATION,
    header::PRAGMA,
    header::REFERRER_POLICY,
    header::REFRESH,
    header::RETRY_AFTER,
    header::STRICT_TRANSPORT_SECURITY,
    header::TRAILER,
    header::VARY,
    header::X_CONTENT_TYPE_OPTIONS,
    header::X_FRAME_OPTIONS,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("cross-origin-embedder-policy"),
    HeaderName::from_static("cross-origin-opener-policy"),
    HeaderName::from_static("cross-origin-resource-policy"),
    HeaderName::from_static("deprecation"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("permissions-policy"),
    HeaderName::from_static("preference-applied"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("sunset"),
    HeaderName::from_static("x-robots-tag"),
    HeaderName::from_static("accept-patch"),
];

/// The headers that belong to a single response, connection or user, and are never stored.
static NEVER: [HeaderName; 20] = [
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::COOKIE,
    header::DATE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::SET_COOKIE,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::WWW_AUTHENTICATE,
    REQUEST_ID,
    HeaderName::from_static("age"),
    HeaderName::from_static("authentication-info"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-authentication-info"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("server-timing"),
    HeaderName::from_static("set-cookie2"),
];

/// The request id of the first request has another name in a replay, which belongs to another
/// request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const ORIGINAL_REQUEST_ID: HeaderName = HeaderName::from_static("x-original-request-id");

/// The stored headers of a response.
#[derive(Clone, Debug)]
pub(super) enum StoredHeaders {
    /// The default headers, and these.
    Default(Vec<HeaderName>),
    /// All headers except these.
    AllBut(Vec<HeaderName>),
}

impl Default for StoredHeaders {
    fn default() -> Self {
        Self::Default(Vec::new())
    }
}

impl StoredHeaders {
    pub(super) fn add(&mut self, name: HeaderName) {
        match self {
            Self::Default(added) => added.push(name),
            Self::AllBut(omitted) => omitted.retain(|it| *it != name),
        }
    }

    /// Returns the stored headers of a response.
    pub(super) fn select(&self, headers: &HeaderMap) -> HeaderMap {
        let mut selected = HeaderMap::new();
        for (name, value) in headers {
            if self.contains(name, headers) {
                selected.append(name.clone(), value.clone());
            }
        }
        if !matches!(self, Self::AllBut(omitted) if omitted.contains(&REQUEST_ID)) {
            for value in headers.get_all(REQUEST_ID) {
                selected.append(ORIGINAL_REQUEST_ID, value.clone());
            }
        }
        selected
    }

    /// Returns the stored trailers of a response: the status of gRPC, and the trailers that the
    /// `Trailer` header of the response announces.
    pub(super) fn select_trailers(&self, headers: &HeaderMap, trailers: &HeaderMap) -> HeaderMap {
        let mut selected = HeaderMap::new();
        for (name, value) in trailers {
            let is_announced = lists(headers, &header::TRAILER, name);
            if (is_announced && !is_never_stored(name, headers)) || self.contains(name, headers) {
                selected.append(name.clone(), value.clone());
            }
        }
        selected
    }

    fn contains(&self, name: &HeaderName, headers: &HeaderMap) -> bool {
        let is_chosen = match self {
            Self::Default(added) => {
                DEFAULT.contains(name) || grpc::STATUS.contains(name) || added.contains(name)
            }
            Self::AllBut(omitted) => !omitted.contains(name),
        };
        is_chosen && !is_never_stored(name, headers)
    }
}

fn is_never_stored(name: &HeaderName, headers: &HeaderMap) -> bool {
    NEVER.contains(name) || lists(headers, &header::CONNECTION, name)
}

/// Returns whether a header with a list of names contains a name.
fn lists(headers: &HeaderMap, list: &HeaderName, name: &HeaderName) -> bool {
    let lines = headers.get_all(list).iter();
    let mut names = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    names.any(|listed| listed.trim().eq_ignore_ascii_case(name.as_str()))
}
