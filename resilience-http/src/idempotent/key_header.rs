//! The idempotency key in the headers of a request.

use core::fmt;
use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use resilience_rules::{KeyError, idempotency_key};

use crate::client_key::{is_bare, unquote};
use crate::key_headers;

/// The reason why the headers of a request have no usable key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyHeaderError {
    /// Two lines of one header, or two headers with different keys.
    Several,
    /// A leading quotation mark, and no valid string of structured fields.
    Malformed,
    /// A key with a space and without quotation marks.
    Unquoted,
    /// A key that the rule of the endpoint rejects.
    Refused,
    /// A key that breaks the rule of this library.
    Invalid(KeyError),
}

impl From<KeyError> for KeyHeaderError {
    fn from(error: KeyError) -> Self {
        Self::Invalid(error)
    }
}

type KeyRule = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The headers that can carry the key, and the rule of the endpoint.
#[derive(Clone, Default)]
pub(super) struct KeyHeaders {
    headers: key_headers::KeyHeaders,
    rule: Option<KeyRule>,
}

impl KeyHeaders {
    pub(super) fn set_names(&mut self, names: impl IntoIterator<Item = HeaderName>) {
        self.headers = key_headers::KeyHeaders::named(names);
    }

    pub(super) fn set_rule(&mut self, rule: impl Fn(&str) -> bool + Send + Sync + 'static) {
        self.rule = Some(Arc::new(rule));
    }

    /// Returns the names of the headers.
    pub(super) fn names(&self) -> &[HeaderName] {
        self.headers.names()
    }

    /// Returns whether the request has one of the headers, with a valid key or not.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        self.headers.are_in(headers)
    }

    /// Returns the key, or `None` if the request has none of the headers.
    pub(super) fn read(&self, headers: &HeaderMap) -> Result<Option<String>, KeyHeaderError> {
        let mut found = None;
        for name in self.headers.names() {
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
        match (&found, &self.rule) {
            (Some(key), Some(rule)) if !rule(key) => Err(KeyHeaderError::Refused),
            _ => Ok(found),
        }
    }
}

impl fmt::Debug for KeyHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyHeaders").field(&self.headers).finish()
    }
}

/// Reads one header line.
///
/// The IETF draft writes the key as a string of RFC 9651. Most clients send the bare key.
fn read(line: &HeaderValue) -> Result<Cow<'_, str>, KeyHeaderError> {
    let line = line.as_bytes();
    if line.starts_with(b"\"") {
        let key = unquote(line).ok_or(KeyHeaderError::Malformed)?;
        idempotency_key(key.as_bytes())?;
        return Ok(Cow::Owned(key));
    }
    idempotency_key(line)?;
    if !is_bare(line) {
        return Err(KeyHeaderError::Unquoted);
    }
    core::str::from_utf8(line).map(Cow::Borrowed).map_err(|_| KeyError::NotPrintable.into())
}
