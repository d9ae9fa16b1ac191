//! The idempotency key in the headers of a request.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use resilience_rules::{KeyError, idempotency_key};

use crate::client_key::{IDEMPOTENCY_KEY, unquote};

/// The name of the header before the IETF draft.
const X_IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("x-idempotency-key");

/// The reason why the headers of a request have no usable key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyHeaderError {
    /// Two lines of one header, or two headers with different keys.
    Several,
    /// A leading quotation mark, and no valid string of structured fields.
    Malformed,
    /// A key that breaks a rule.
    Invalid(KeyError),
}

impl From<KeyError> for KeyHeaderError {
    fn from(error: KeyError) -> Self {
        Self::Invalid(error)
    }
}

/// The names of the headers that can carry the key.
#[derive(Clone, Debug)]
pub(super) struct KeyHeaders(Vec<HeaderName>);

impl Default for KeyHeaders {
    fn default() -> Self {
        Self(vec![IDEMPOTENCY_KEY, X_IDEMPOTENCY_KEY])
    }
}

impl KeyHeaders {
    pub(super) fn new(names: impl IntoIterator<Item = HeaderName>) -> Self {
        Self(names.into_iter().collect())
    }

    /// Returns whether the request has one of the headers, with a valid key or not.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        self.0.iter().any(|name| headers.contains_key(name))
    }

    /// Returns the key, or `None` if the request has none of the headers.
    pub(super) fn read(&self, headers: &HeaderMap) -> Result<Option<String>, KeyHeaderError> {
        let mut found = None;
        for name in &self.0 {
            let mut lines = headers.get_all(name).iter();
            let Some(line) = lines.next() else { continue };
            if lines.next().is_some() {
                return Err(KeyHeaderError::Several);
            }
            let key = read(line)?.into_owned();
            if found.get_or_insert_with(|| key.clone()) != &key {
                return Err(KeyHeaderError::Several);
            }
        }
        Ok(found)
    }
}

/// Reads one header line.
///
/// The IETF draft quotes the key as a string of RFC 9651. Most clients send the bare key.
fn read(line: &HeaderValue) -> Result<Cow<'_, str>, KeyHeaderError> {
    let key = if line.as_bytes().starts_with(b"\"") {
        Cow::Owned(unquote(line.as_bytes()).ok_or(KeyHeaderError::Malformed)?)
    } else {
        Cow::Borrowed(core::str::from_utf8(line.as_bytes()).map_err(|_| KeyError::NotVisible)?)
    };
    idempotency_key(key.as_bytes())?;
    Ok(key)
}
