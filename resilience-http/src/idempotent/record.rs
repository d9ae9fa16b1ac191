//! The stored form of a response: bytes, because headers need not be text.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use super::grpc;

/// The version of the format.
const FORMAT: u8 = 1;

/// A response in the store.
#[derive(Debug, Default)]
pub(super) struct StoredResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The status trailers of gRPC.
    pub(super) trailers: HeaderMap,
}

impl StoredResponse {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        bytes.extend(self.status.as_u16().to_le_bytes());
        for headers in [&self.headers, &self.trailers] {
            write_length(&mut bytes, headers.len());
            for (name, value) in headers {
                for part in [name.as_str().as_bytes(), value.as_bytes()] {
                    write_length(&mut bytes, part.len());
                    bytes.extend(part);
                }
            }
        }
        bytes.extend(&self.body);
        bytes
    }

    /// Parses a stored response, or returns `None` for malformed bytes.
    pub(super) fn read(bytes: Vec<u8>) -> Option<Self> {
        let mut bytes = Bytes::from(bytes);
        if take(&mut bytes, 1)?.as_ref() != [FORMAT] {
            return None;
        }
        let status = u16::from_le_bytes(*take(&mut bytes, 2)?.first_chunk()?);
        let status = StatusCode::from_u16(status).ok()?;
        let headers = read_headers(&mut bytes)?;
        let trailers = read_headers(&mut bytes)?;
        Some(Self { status, headers, body: bytes, trailers })
    }
}

fn write_length(bytes: &mut Vec<u8>, length: usize) {
    // A longer part exceeds the longest record, so the length fits.
    bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn read_headers(bytes: &mut Bytes) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for _ in 0..read_length(bytes)? {
        let name = read_length(bytes)?;
        let name = HeaderName::from_bytes(&take(bytes, name)?).ok()?;
        let value = read_length(bytes)?;
        let value = HeaderValue::from_maybe_shared(take(bytes, value)?).ok()?;
        headers.try_append(name, value).ok()?;
    }
    Some(headers)
}

fn read_length(bytes: &mut Bytes) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*take(bytes, 4)?.first_chunk()?)).ok()
}

fn take(bytes: &mut Bytes, length: usize) -> Option<Bytes> {
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

/// The stored headers of a response, with the name in the response and the name in the replay.
#[derive(Clone, Debug)]
pub(super) struct StoredHeaders(Vec<(HeaderName, HeaderName)>);

impl Default for StoredHeaders {
    fn default() -> Self {
        let unchanged = [
            header::CONTENT_TYPE,
            // The body is unreadable without the encoding.
            header::CONTENT_ENCODING,
            header::CONTENT_LANGUAGE,
            header::LOCATION,
            header::ETAG,
            header::LINK,
            header::RETRY_AFTER,
        ];
        let unchanged = unchanged.into_iter().chain(grpc::STATUS);
        let mut names: Vec<_> = unchanged.map(|name| (name.clone(), name)).collect();
        // A replay belongs to another request with a different request id.
        let id = HeaderName::from_static("x-request-id");
        names.push((id, HeaderName::from_static("x-original-request-id")));
        Self(names)
    }
}

impl StoredHeaders {
    pub(super) fn add(&mut self, name: HeaderName) {
        self.0.push((name.clone(), name));
    }

    /// Returns the stored headers of a response, in the order of this list.
    pub(super) fn select(&self, headers: &HeaderMap) -> HeaderMap {
        let mut selected = HeaderMap::new();
        for (name, replayed) in &self.0 {
            if is_never_stored(name, headers) || selected.contains_key(replayed) {
                continue;
            }
            for value in headers.get_all(name) {
                selected.append(replayed.clone(), value.clone());
            }
        }
        selected
    }
}

/// Returns whether a header belongs to a single response, connection or user, and is never stored.
fn is_never_stored(name: &HeaderName, headers: &HeaderMap) -> bool {
    const NEVER: [&str; 13] = [
        "set-cookie",
        "set-cookie2",
        "date",
        "content-length",
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let listed = headers.get_all(header::CONNECTION);
    let mut listed =
        listed.iter().filter_map(|line| line.to_str().ok()).flat_map(|it| it.split(','));
    NEVER.contains(&name.as_str()) || listed.any(|it| it.trim().eq_ignore_ascii_case(name.as_str()))
}

/// The header that marks a replay.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

impl StoredResponse {
    /// Returns the replay of the response.
    pub(super) fn replay(self) -> Response<Bytes> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        response
    }
}
