//! gRPC: the status of a 200 response is in the trailers, and for gRPC-Web in the body.

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderName, StatusCode};

use resilience_core::__internal::{EFFECT_METADATA, effect_of_metadata};
use resilience_core::Effect;

use crate::protocol::Protocol;

/// The names of the status fields, in the trailers or in the headers of a response without a body.
pub(super) const STATUS: [HeaderName; 3] =
    [CODE, MESSAGE, HeaderName::from_static("grpc-status-details-bin")];

pub(super) const CODE: HeaderName = HeaderName::from_static("grpc-status");
pub(super) const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Returns the HTTP status equivalent to the gRPC status of a response, or `None` if the status of
/// the response counts.
pub(super) fn status(headers: &HeaderMap, trailers: &HeaderMap, body: &[u8]) -> Option<StatusCode> {
    let protocol = Protocol::of(headers);
    if !protocol.is_grpc() {
        return None;
    }
    let code = metadata(protocol, headers, trailers, body, CODE.as_str());
    let is_web = matches!(protocol, Protocol::GrpcWeb | Protocol::GrpcWebText);
    if code.is_none() && is_web && headers.contains_key(CONTENT_ENCODING) {
        // The status in a compressed body is unreadable, and the handler has decided.
        return None;
    }
    Some(match code.as_deref() {
        Some(b"0") => StatusCode::OK,
        // The request itself is invalid.
        Some(b"3" | b"9" | b"11") => StatusCode::BAD_REQUEST,
        Some(b"5") => StatusCode::NOT_FOUND,
        Some(b"6") => StatusCode::CONFLICT,
        Some(b"7") => StatusCode::FORBIDDEN,
        Some(b"8") => StatusCode::TOO_MANY_REQUESTS,
        Some(b"16") => StatusCode::UNAUTHORIZED,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    })
}

/// Returns the effect that the metadata of a gRPC status states: of a status made of a `Rejected`.
pub(super) fn effect(headers: &HeaderMap, trailers: &HeaderMap, body: &[u8]) -> Option<Effect> {
    let protocol = Protocol::of(headers);
    if !protocol.is_grpc() {
        return None;
    }
    effect_of_metadata(&metadata(protocol, headers, trailers, body, EFFECT_METADATA)?)
}

/// Returns a field of the status: from the trailers, from the headers of a response without a
/// message, or from the body of gRPC-Web.
fn metadata(
    protocol: Protocol,
    headers: &HeaderMap,
    trailers: &HeaderMap,
    body: &[u8],
    name: &str,
) -> Option<Vec<u8>> {
    if let Some(value) = trailers.get(name).or_else(|| headers.get(name)) {
        return Some(value.as_bytes().to_vec());
    }
    match protocol {
        Protocol::GrpcWebText => decode_base64(body).and_then(|body| field_in_body(&body, name)),
        Protocol::GrpcWeb => field_in_body(body, name),
        _ => None,
    }
}

/// Returns a field in the last frame of a gRPC-Web body.
///
/// A frame has a byte of flags, four bytes with the length, and the content. The first bit of the
/// flags marks trailers, which are lines of HTTP/1.1.
fn field_in_body(mut body: &[u8], field: &str) -> Option<Vec<u8>> {
    const TRAILERS: u8 = 0x80;
    loop {
        let (head, rest) = body.split_at_checked(5)?;
        let (flags, length) = head.split_first()?;
        let length = u32::from_be_bytes(*length.first_chunk()?);
        let (content, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        if *flags == TRAILERS {
            let mut lines = content.split(|byte| *byte == b'\n');
            return lines.find_map(|line| {
                let colon = line.iter().position(|byte| *byte == b':')?;
                let (name, value) = line.split_at_checked(colon)?;
                let is_field = name.trim_ascii().eq_ignore_ascii_case(field.as_bytes());
                is_field.then(|| value.get(1..).unwrap_or_default().trim_ascii().to_vec())
            });
        }
        body = rest;
    }
}

/// Decodes Base64. A server may encode each frame on its own, so padding may stand between groups.
fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    let digits: Vec<u8> = digits.copied().collect();
    let mut bytes = Vec::with_capacity(digits.len());
    for group in digits.chunks(4) {
        if group.len() < 4 {
            return None;
        }
        let mut word = 0_u32;
        for digit in group {
            word = (word << 6) | base64_digit(*digit)?;
        }
        let [_, word @ ..] = word.to_be_bytes();
        // Four digits are three bytes, and each padding character is one byte less.
        let length = match group {
            [.., b'=', b'='] => 1,
            [.., b'='] => 2,
            _ => 3,
        };
        bytes.extend(word.get(..length)?);
    }
    Some(bytes)
}

fn base64_digit(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit.wrapping_sub(b'A'),
        b'a'..=b'z' => digit.wrapping_sub(b'a').wrapping_add(26),
        b'0'..=b'9' => digit.wrapping_sub(b'0').wrapping_add(52),
        b'+' => 62,
        b'/' => 63,
        b'=' => 0,
        _ => return None,
    };
    Some(value.into())
}
