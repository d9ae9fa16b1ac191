//! The checks of a control against requests of other sites, sent by the browser of an operator.

use axum::http::header::{CONTENT_TYPE, HOST, HeaderName, ORIGIN};
use axum::http::request::Parts;
use axum::http::uri::Authority;

/// A form cannot send this header. A script of another site may send the header only after a
/// preflight request, and the router refuses preflight requests.
const REQUIRED: HeaderName = HeaderName::from_static("x-resilience-admin");
/// The relation of the sending page to the target. Scripts cannot set this header.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Checks that a request comes from the page itself, or from a program outside a browser.
pub(super) fn check(request: &Parts) -> Result<(), &'static str> {
    if !request.headers.contains_key(REQUIRED) {
        return Err("the header `x-resilience-admin` is missing");
    }
    if !is_json(request) {
        return Err("the content type is not `application/json`");
    }
    if is_same_origin(request) { Ok(()) } else { Err("the request comes from another origin") }
}

/// Returns whether the only content type is JSON. Parameters, such as the character set, change
/// nothing: a form can send none of these types.
fn is_json(request: &Parts) -> bool {
    let mut types = request.headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let essence = only.to_str().ok().and_then(|kind| kind.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// Returns whether all headers about the origin name this server. A program outside a browser sends
/// no such header.
fn is_same_origin(request: &Parts) -> bool {
    let headers = &request.headers;
    let is_same_site = headers.get(SITE).is_none_or(|site| site == "same-origin");
    let is_same_host = || {
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| request.uri.authority().map(Authority::as_str));
        let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        matches!((origin, host), (Some((_, origin)), Some(host)) if origin.eq_ignore_ascii_case(host))
    };
    is_same_site && is_same_host()
}
