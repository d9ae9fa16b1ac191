//! Idempotency keys on the side of the client.

use core::fmt;

use http::{HeaderMap, HeaderValue, Method};
use resilience_core::__internal::unique_id;
use resilience_rules::{KeyError, idempotency_key};
use sfv::{BareItem, Item, Parser};

use crate::key_headers::KeyHeaders;
use crate::request_method::has_idempotent_method;

/// Returns whether a server may apply a request twice without harm.
///
/// The result is `true` for an idempotent method, and for a request with an idempotency key in
/// `Idempotency-Key` or `X-Idempotency-Key`. A blank key is no key. A method in
/// `X-HTTP-Method-Override`, `X-HTTP-Method` or `X-Method-Override` must be idempotent too. Pass
/// the result to `idempotent = …` on a function that takes the request as an argument.
///
/// # Examples
/// ```
/// use http::{HeaderMap, Method};
/// use resilience::http::{IdempotencyKey, is_idempotent};
///
/// let mut headers = HeaderMap::new();
/// assert!(is_idempotent(&Method::PUT, &headers));
/// assert!(!is_idempotent(&Method::POST, &headers));
/// IdempotencyKey::new().apply(&mut headers);
/// assert!(is_idempotent(&Method::POST, &headers));
/// ```
#[must_use]
pub fn is_idempotent(method: &Method, headers: &HeaderMap) -> bool {
    has_idempotent_method(method, headers) || KeyHeaders::new().hold_key(headers)
}

/// An idempotency key: a server handles two requests with equal keys once.
///
/// Make the key once for each call, before the first attempt, and pass the key by reference to the
/// retried function. Each attempt then sends an equal key. A request with another body needs a new
/// key.
///
/// Servers delete old keys (Stripe after 24 hours). A key that is stored with a job must not be
/// used for longer.
///
/// # Examples
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use resilience::http::{IDEMPOTENCY_KEY, IdempotencyKey};
///
/// let key = IdempotencyKey::new();
/// assert_ne!(key, IdempotencyKey::new());
///
/// // `apply` keeps the key of a request that has one.
/// let mut headers = HeaderMap::new();
/// headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("order-7"));
/// assert!(!key.apply(&mut headers));
/// assert_eq!(headers[IDEMPOTENCY_KEY], "order-7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(HeaderValue);

impl IdempotencyKey {
    /// Creates a random key: a UUID (version 4) in the usual form.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "two defaults would not be equal")]
    pub fn new() -> Self {
        let random = unique_id();
        let uuid = random & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
        let digits = format!("{uuid:032x}");
        let groups = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
        let groups = groups.map(|(start, end)| digits.get(start..end).unwrap_or_default());
        let value = HeaderValue::try_from(groups.join("-"));
        // Hexadecimal digits and hyphens always form a header value, so this fallback never runs.
        #[expect(clippy::cast_possible_truncation, reason = "the low bits are random as well")]
        Self(value.unwrap_or_else(|_| HeaderValue::from(random as u64)))
    }

    /// Writes the key as a string of RFC 9651, in quotation marks, as the IETF draft specifies.
    ///
    /// Most services expect the key without quotation marks, and some services treat the marks as
    /// part of the key.
    #[must_use]
    pub fn quoted(self) -> Self {
        if self.as_str().starts_with('"') { self } else { quote(self.as_str()).unwrap_or(self) }
    }

    /// Adds the key as `Idempotency-Key` to the headers of a request and returns `true`, or returns
    /// `false` if the headers already have a key in `Idempotency-Key` or `X-Idempotency-Key`. A
    /// blank key is replaced.
    pub fn apply(&self, headers: &mut HeaderMap) -> bool {
        KeyHeaders::new().add(self.0.clone(), headers)
    }

    /// Returns the value of the header, with quotation marks and escapes if the key has any.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// Makes a key from a text of the application, such as an order number.
///
/// A key of visible characters is sent as written. A key with a space is sent as a string of
/// RFC 9651, `"order 7"`. A text that is such a string already, with quotation marks and escapes,
/// is sent unchanged. The server side of this library reads both forms.
///
/// # Errors
/// [`KeyError`] if the key is blank, or is not 1 to 255 printable ASCII characters.
///
/// # Examples
/// ```
/// use resilience::http::IdempotencyKey;
///
/// assert_eq!(IdempotencyKey::try_from("order-7")?.as_str(), "order-7");
/// assert_eq!(IdempotencyKey::try_from("order 7")?.as_str(), r#""order 7""#);
/// assert!(IdempotencyKey::try_from("order\t7").is_err());
/// # Ok::<(), resilience::http::KeyError>(())
/// ```
impl TryFrom<&str> for IdempotencyKey {
    type Error = KeyError;

    fn try_from(key: &str) -> Result<Self, KeyError> {
        idempotency_key(key.as_bytes())?;
        // A server reads a leading quotation mark as the start of a string.
        let string = key.starts_with('"').then(|| unquote(key.as_bytes())).flatten();
        let sent = match &string {
            Some(inner) => {
                idempotency_key(inner.as_bytes())?;
                HeaderValue::from_str(key).ok().map(Self)
            }
            None if is_bare(key.as_bytes()) => HeaderValue::from_str(key).ok().map(Self),
            None => quote(key),
        };
        sent.ok_or(KeyError::NotPrintable)
    }
}

/// Returns whether a key can be sent without quotation marks. A space at either end of a header
/// value would be lost, and a leading quotation mark starts a string.
pub(crate) fn is_bare(key: &[u8]) -> bool {
    !key.starts_with(b"\"") && key.iter().all(u8::is_ascii_graphic)
}

/// Encodes a text as a string of structured fields (RFC 9651).
fn quote(key: &str) -> Option<IdempotencyKey> {
    let escaped = key.replace('\\', r"\\").replace('"', r#"\""#);
    HeaderValue::try_from(format!("\"{escaped}\"")).ok().map(IdempotencyKey)
}

/// Decodes a string of structured fields (RFC 9651), or returns `None` if the value is malformed.
pub(crate) fn unquote(value: &[u8]) -> Option<String> {
    match Parser::new(value).parse::<Item>() {
        Ok(Item { bare_item: BareItem::String(key), .. }) => Some(key.into()),
        _ => None,
    }
}

/// Converts the key for `RequestBuilder::header(IDEMPOTENCY_KEY, key)`.
impl From<&IdempotencyKey> for HeaderValue {
    fn from(key: &IdempotencyKey) -> Self {
        key.0.clone()
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
