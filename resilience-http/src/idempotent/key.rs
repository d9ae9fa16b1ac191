//! The key of a request, out of its headers.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use resilience_idempotency::KeyError;
use sfv::{BareItem, Item, Parser};

use crate::key::IDEMPOTENCY_KEY;

/// The same header, as it was called before there was a draft.
const X_IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("x-idempotency-key");

/// Why there is no key that could be gone by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unclear {
    /// Two lines of one header, or two headers that differ.
    Several,
    /// In quotation marks, and no string of structured fields.
    Malformed,
    /// A key, and what is wrong with it.
    Fault(KeyError),
}

/// The headers that are looked at.
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

    /// Whether there is one of them, whatever it says.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        self.0.iter().any(|name| headers.contains_key(name))
    }

    /// The key, where there is one.
    pub(super) fn read(&self, headers: &HeaderMap) -> Result<Option<String>, Unclear> {
        let mut found = None;
        for name in &self.0 {
            let mut lines = headers.get_all(name).iter();
            let Some(line) = lines.next() else { continue };
            if lines.next().is_some() {
                return Err(Unclear::Several);
            }
            let key = read(line)?.into_owned();
            if found.get_or_insert_with(|| key.clone()) != &key {
                return Err(Unclear::Several);
            }
        }
        Ok(found)
    }
}

/// A string of RFC 9651 in its quotation marks, as the draft has it, or the bare key, as nearly everybody
/// sends it.
fn read(line: &HeaderValue) -> Result<Cow<'_, str>, Unclear> {
    let key = if line.as_bytes().starts_with(b"\"") {
        let item = Parser::new(line.as_bytes()).parse::<Item>();
        let Ok(Item { bare_item: BareItem::String(key), .. }) = item else {
            return Err(Unclear::Malformed);
        };
        Cow::Owned(key.into())
    } else {
        let key = core::str::from_utf8(line.as_bytes());
        Cow::Borrowed(key.map_err(|_| Unclear::Fault(KeyError::NotVisible))?)
    };
    match key.len() {
        0 => Err(Unclear::Fault(KeyError::Empty)),
        256.. => Err(Unclear::Fault(KeyError::TooLong)),
        _ if !key.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(Unclear::Fault(KeyError::NotVisible))
        }
        _ => Ok(key),
    }
}
