//! An answer as it is stored: bytes, because headers need not be text.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use super::grpc;

/// The form of the bytes below.
const FORM: u8 = 1;

/// What is stored of an answer.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Only those of gRPC, whose status stands there.
    pub(super) trailers: HeaderMap,
}

impl Stored {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = vec![FORM];
        bytes.extend(self.status.as_u16().to_le_bytes());
        for headers in [&self.headers, &self.trailers] {
            length(&mut bytes, headers.len());
            for (name, value) in headers {
                for part in [name.as_str().as_bytes(), value.as_bytes()] {
                    length(&mut bytes, part.len());
                    bytes.extend(part);
                }
            }
        }
        bytes.extend(&self.body);
        bytes
    }

    /// None where the bytes are no answer.
    pub(super) fn read(bytes: Vec<u8>) -> Option<Self> {
        let mut bytes = Bytes::from(bytes);
        if take(&mut bytes, 1)?.as_ref() != [FORM] {
            return None;
        }
        let status = u16::from_le_bytes(*take(&mut bytes, 2)?.first_chunk()?);
        let status = StatusCode::from_u16(status).ok()?;
        let headers = read_headers(&mut bytes)?;
        let trailers = read_headers(&mut bytes)?;
        Some(Self { status, headers, body: bytes, trailers })
    }
}

fn length(bytes: &mut Vec<u8>, length: usize) {
    // What is longer is longer than any record, and does not come here.
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

/// Which headers of an answer are stored, and what they are called in a replay.
#[derive(Clone, Debug)]
pub(super) struct KeptHeaders(Vec<(HeaderName, HeaderName)>);

impl Default for KeptHeaders {
    fn default() -> Self {
        let as_it_is = [
            header::CONTENT_TYPE,
            // Without it nobody could read the body.
            header::CONTENT_ENCODING,
            header::CONTENT_LANGUAGE,
            header::LOCATION,
            header::ETAG,
            header::LINK,
            header::RETRY_AFTER,
        ];
        let as_it_is = as_it_is.into_iter().chain(grpc::STATUS);
        let mut kept: Vec<_> = as_it_is.map(|name| (name.clone(), name)).collect();
        // A replay is another request, and has a number of its own.
        let id = HeaderName::from_static("x-request-id");
        kept.push((id, HeaderName::from_static("x-original-request-id")));
        Self(kept)
    }
}

impl KeptHeaders {
    pub(super) fn add(&mut self, name: HeaderName) {
        self.0.push((name.clone(), name));
    }

    /// The headers that are stored of these, in their order.
    pub(super) fn of(&self, headers: &HeaderMap) -> HeaderMap {
        let mut kept = HeaderMap::new();
        for (name, replayed) in &self.0 {
            if is_of_one_answer(name, headers) || kept.contains_key(replayed) {
                continue;
            }
            for value in headers.get_all(name) {
                kept.append(replayed.clone(), value.clone());
            }
        }
        kept
    }
}

/// Whether a header belongs to one answer, one connection or one person, whatever a list says.
fn is_of_one_answer(name: &HeaderName, headers: &HeaderMap) -> bool {
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
    let named = headers.get_all(header::CONNECTION);
    let mut named = named.iter().filter_map(|line| line.to_str().ok()).flat_map(|it| it.split(','));
    NEVER.contains(&name.as_str()) || named.any(|it| it.trim().eq_ignore_ascii_case(name.as_str()))
}

/// The header by which a replay is known.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

impl Stored {
    /// The answer to a request that was sent again.
    pub(super) fn replay(self) -> Response<Bytes> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        response
    }
}
