//! The stored form of a response: bytes, because headers need not be text.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

/// The first byte of a record with a response, and the version of its format.
const RESPONSE: u8 = 1;
/// The first byte of a record without a response. The second byte is the reason.
const NO_RESPONSE: u8 = 2;

/// The reason why a record has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotStored {
    TooLong,
    /// The response was a stream, or the start of another protocol.
    Stream,
    /// The body of the response ended with an error.
    Broken,
}

impl NotStored {
    const ALL: [(u8, Self); 3] = [(1, Self::TooLong), (2, Self::Stream), (3, Self::Broken)];

    pub(super) fn write(self) -> Vec<u8> {
        let code = Self::ALL.iter().find(|(_, known)| *known == self);
        [NO_RESPONSE].into_iter().chain(code.map(|(code, _)| *code)).collect()
    }
}

/// Parses a record, or returns `None` for malformed bytes.
pub(super) fn read_record(bytes: Vec<u8>) -> Option<Result<StoredResponse, NotStored>> {
    if let [NO_RESPONSE, code] = bytes[..] {
        let reason = NotStored::ALL.iter().find(|(known, _)| *known == code);
        return reason.map(|(_, reason)| Err(*reason));
    }
    StoredResponse::read(bytes).map(Ok)
}

/// A response in the store.
#[derive(Debug, Default)]
pub(super) struct StoredResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) trailers: HeaderMap,
}

impl StoredResponse {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = vec![RESPONSE];
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

    fn read(bytes: Vec<u8>) -> Option<Self> {
        let mut bytes = Bytes::from(bytes);
        if take(&mut bytes, 1)?.as_ref() != [RESPONSE] {
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
