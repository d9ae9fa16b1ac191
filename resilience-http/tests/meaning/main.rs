//! What statuses, headers and errors mean, without a network.

mod answers;
mod errors;
mod gate;
mod grpc;
mod headers;
mod keys;
mod problems;
mod status;
mod vendors;

use http::{HeaderMap, HeaderName, HeaderValue};

/// Headers from pairs; a name may come twice.
fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
        headers.append(HeaderName::from_static(name), value);
    }
    headers
}
