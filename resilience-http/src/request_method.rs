//! The method of a request, with the headers that change the method.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// Headers that change the method of a request for frameworks of many languages.
pub(crate) static METHOD_OVERRIDES: [HeaderName; 3] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
];

/// Returns whether the method is idempotent, and each method that a header puts in its place. A
/// server may ignore such a header, so both count.
pub(crate) fn has_idempotent_method(method: &Method, headers: &HeaderMap) -> bool {
    let mut overrides = METHOD_OVERRIDES.iter().flat_map(|name| headers.get_all(name));
    method.is_idempotent() && overrides.all(is_idempotent)
}

fn is_idempotent(name: &HeaderValue) -> bool {
    let name = name.as_bytes().trim_ascii().to_ascii_uppercase();
    Method::from_bytes(&name).is_ok_and(|method| method.is_idempotent())
}
