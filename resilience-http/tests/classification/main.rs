//! Classification of statuses, headers and errors, without a network.

mod client_keys;
mod errors;
mod grpc;
mod host_cooldown;
mod problem_types;
mod rejected_response;
mod retry_after;
mod status;
mod vendors;

use http::{HeaderMap, HeaderName, HeaderValue};

/// Makes headers from pairs; a name may appear twice.
fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
        headers.append(HeaderName::from_static(name), value);
    }
    headers
}
