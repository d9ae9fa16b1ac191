//! The request headers that carry an idempotency key, for clients and for servers.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

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

    /// Returns whether the headers have a key, valid or not.
    pub(crate) fn are_in(&self, headers: &HeaderMap) -> bool {
        self.names().iter().any(|name| headers.contains_key(name))
    }

    /// Adds the key under the first name and returns `true`, or returns `false` if the headers
    /// already have a key.
    pub(crate) fn add(&self, key: HeaderValue, headers: &mut HeaderMap) -> bool {
        let name = self.names().first().filter(|_| !self.are_in(headers));
        name.is_some_and(|name| headers.insert(name.clone(), key).is_none())
    }
}
