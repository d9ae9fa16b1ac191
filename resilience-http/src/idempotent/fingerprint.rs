//! The fingerprint of a request: the parts that a repeated request must not change.

use core::net::IpAddr;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::uri::Authority;
use http::{HeaderMap, Request};
use resilience_idempotency::FingerprintBuilder;

use super::canonical_json::canonical_json;
use super::media_type::MediaType;
use super::multipart::split_parts;
use crate::request_method::METHOD_OVERRIDES;

/// Adds the method and the path, which count for every endpoint.
///
/// Routers of `axum` nested under two paths see equal paths. A layer between the routers can change
/// the path too, so both paths count where they differ.
pub(super) fn add_target(
    fingerprint: FingerprintBuilder,
    request: &Request<Bytes>,
) -> FingerprintBuilder {
    let path = request.uri().path();
    let outer = outer_path(request).filter(|outer| *outer != path);
    let method = request.method().as_str();
    let overrides = METHOD_OVERRIDES.each_ref().map(|name| lines(request.headers(), name));
    let fingerprint = if overrides.iter().all(Vec::is_empty) {
        fingerprint.value(method)
    } else {
        fingerprint.value(&(method, overrides))
    };
    fingerprint.value(path).value(&outer)
}

/// Returns the path outside of nested routers of `axum`.
#[cfg(feature = "axum")]
fn outer_path(request: &Request<Bytes>) -> Option<&str> {
    request.extensions().get::<axum::extract::OriginalUri>().map(|uri| uri.0.path())
}

#[cfg(not(feature = "axum"))]
fn outer_path(_: &Request<Bytes>) -> Option<&str> {
    None
}

/// Adds the hosts, the query, the content type, encoding and range, and the body.
///
/// With `canonical`, JSON documents are compared by value instead of by bytes.
pub(super) fn add_content(
    fingerprint: FingerprintBuilder,
    request: &Request<Bytes>,
    canonical: bool,
) -> FingerprintBuilder {
    let encodings = content_encodings(request.headers());
    let fingerprint = fingerprint.value(&hosts(request)).value(&request.uri().query());
    let range = lines(request.headers(), &CONTENT_RANGE);
    let fingerprint = fingerprint.value(&encodings).value(&range);
    let body = request.body();
    // A body with an encoding, or with several types, is compared by its bytes.
    let media_type = match (&encodings[..], &lines(request.headers(), &CONTENT_TYPE)[..]) {
        ([], [line]) => MediaType::parse(line),
        _ => None,
    };
    let Some(media_type) = media_type else {
        return fingerprint
            .value("bytes")
            .value(&lines(request.headers(), &CONTENT_TYPE))
            .bytes(body);
    };
    if canonical && media_type.is_json() {
        if let Some(json) = canonical_json(body) {
            return fingerprint.value("json").value(&media_type.parts()).bytes(&json);
        }
    }
    if let Some((boundary, media_type)) = media_type.split_boundary() {
        if let Some(parts) = split_parts(body, &boundary) {
            let fingerprint = fingerprint.value("multipart").value(&media_type.parts());
            return parts.iter().fold(fingerprint.value(&parts.len()), |it, part| it.bytes(part));
        }
    }
    fingerprint.value("typed bytes").value(&media_type.parts()).bytes(body)
}

/// Returns the different hosts of a request: of the target, and of each `Host` line. A handler may
/// read any of them, also where the target overrules the lines.
fn hosts(request: &Request<Bytes>) -> Vec<String> {
    let target = request.uri().authority().map(host);
    let lines = request.headers().get_all(HOST).iter().map(|line| {
        Authority::try_from(line.as_bytes()).map_or_else(
            |_| Some(String::from_utf8_lossy(line.as_bytes()).into_owned()),
            |authority| host(&authority),
        )
    });
    let mut hosts: Vec<String> = target.into_iter().chain(lines).flatten().collect();
    hosts.dedup();
    hosts
}

/// Returns the name and the port of the host in lower case, without the default ports 80 and 443.
///
/// The result is `None` for an IP address and for `localhost`: an address names a replica of a
/// service and no tenant, and a repeated request may reach another replica.
fn host(host: &Authority) -> Option<String> {
    let name = host.host().to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    if address.parse::<IpAddr>().is_ok() || address == "localhost" {
        return None;
    }
    match host.port_u16() {
        None | Some(80 | 443) => Some(name),
        Some(port) => Some(format!("{name}:{port}")),
    }
}

/// Returns the content encodings in lower case, without `identity`.
fn content_encodings(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(CONTENT_ENCODING).iter();
    let text: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    let encodings = text.iter().flat_map(|line| line.split(','));
    let encodings = encodings.map(|encoding| encoding.trim().to_ascii_lowercase());
    encodings.filter(|encoding| !encoding.is_empty() && encoding != "identity").collect()
}

fn lines<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Vec<&'h [u8]> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
}
