//! The request headers that carry an idempotency key, for clients and for servers.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::client_key::unquote;

/// The name of the header that carries an [`IdempotencyKey`](crate::IdempotencyKey).
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The names that servers know by default: the name of the IETF draft, and an older name.
static DEFAULT: [HeaderName; 2] = [IDEMPOTENCY_KEY, HeaderName::from_static("x-idempotency-key")];

/// The names of the headers that can carry the key. A new key is sent under the first name.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyHeaders(Option<Arc<[HeaderName]>>);

impl KeyHeaders {
    /// Returns the default names.
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// Returns these names.
    #[cfg(any(feature = "idempotent", feature = "tower"))]
    pub(crate) fn named(names: impl IntoIterator<Item = HeaderName>) -> Self {
        Self(Some(names.into_iter().collect()))
    }

    pub(crate) fn names(&self) -> &[HeaderName] {
        self.0.as_deref().unwrap_or(&DEFAULT)
    }

    /// Returns whether the request has one of the headers, with a valid key or not.
    #[cfg(feature = "idempotent")]
    pub(crate) fn are_in(&self, headers: &HeaderMap) -> bool {
        self.names().iter().any(|name| headers.contains_key(name))
    }

    /// Returns whether one of the headers has a key that is not blank. With a blank key a server
    /// cannot tell two requests apart, or ignores the header.
    ///
    /// Other servers may accept a key that this library rejects, so any other text is a key.
    pub(crate) fn hold_key(&self, headers: &HeaderMap) -> bool {
        self.names().iter().flat_map(|name| headers.get_all(name)).any(|key| !is_blank(key))
    }

    /// Adds the key under the first name, in place of blank keys, and returns `true`, or returns
    /// `false` if the headers already have a key.
    pub(crate) fn add(&self, key: HeaderValue, headers: &mut HeaderMap) -> bool {
        let Some(first) = self.names().first().filter(|_| !self.hold_key(headers)) else {
            return false;
        };
        for name in self.names() {
            headers.remove(name);
        }
        headers.insert(first.clone(), key);
        true
    }
}

/// Returns whether a key is blank, bare or in quotation marks.
fn is_blank(key: &HeaderValue) -> bool {
    let is_blank = |key: &[u8]| key.trim_ascii().is_empty();
    let key = key.as_bytes();
    is_blank(key) || unquote(key).is_some_and(|key| is_blank(key.as_bytes()))
}
