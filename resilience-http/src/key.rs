//! Whether a request may be applied twice, and the key that makes it so.

use core::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use resilience_core::__internal::unique_id;

/// The header of an [`IdempotencyKey`].
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Whether a request may be applied twice: by its method, or because it carries an idempotency key.
///
/// For `idempotent = …` on a function that is handed its request.
///
/// ```
/// use http::{HeaderMap, Method};
/// use resilience_http::{IdempotencyKey, is_idempotent};
///
/// let mut headers = HeaderMap::new();
/// assert!(is_idempotent(&Method::PUT, &headers));
/// assert!(!is_idempotent(&Method::POST, &headers));
/// IdempotencyKey::new().apply(&mut headers);
/// assert!(is_idempotent(&Method::POST, &headers));
/// ```
#[must_use]
pub fn is_idempotent(method: &Method, headers: &HeaderMap) -> bool {
    method.is_idempotent() || headers.contains_key(IDEMPOTENCY_KEY)
}

/// The key by which a server knows that two requests are the same call.
///
/// Make it once for a call, before the first attempt, and lend it to the function that is retried: each
/// attempt then sends the same one. It stands for the request as it is; one with another body needs
/// another key. Servers forget keys, Stripe's after 24 hours: one that is kept for a job that is
/// started again must not be used for longer.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use resilience_http::{IDEMPOTENCY_KEY, IdempotencyKey};
///
/// let key = IdempotencyKey::new();
/// assert_ne!(key, IdempotencyKey::new());
///
/// // What the request already has stays.
/// let mut headers = HeaderMap::new();
/// headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("order-7"));
/// assert!(!key.apply(&mut headers));
/// assert_eq!(headers[IDEMPOTENCY_KEY], "order-7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(HeaderValue);

impl IdempotencyKey {
    /// A new key: a random UUID (version 4), in its usual form.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default would not be the same twice")]
    pub fn new() -> Self {
        let random = unique_id();
        let uuid = random & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
        let digits = format!("{uuid:032x}");
        let groups = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
        let groups = groups.map(|(start, end)| digits.get(start..end).unwrap_or_default());
        let value = HeaderValue::try_from(groups.join("-"));
        // Digits are always a value; if they were not, a shorter key would do.
        #[expect(clippy::cast_possible_truncation, reason = "the low bits are random as well")]
        Self(value.unwrap_or_else(|_| HeaderValue::from(random as u64)))
    }

    /// The same key in quotation marks, as the IETF draft has it. Most services take it without, and
    /// some take the marks for a part of it.
    #[must_use]
    pub fn quoted(self) -> Self {
        let bytes = self.0.as_bytes();
        if bytes.starts_with(b"\"") {
            return self;
        }
        let quoted = [b"\"", bytes, b"\""].concat();
        HeaderValue::try_from(quoted).map_or(self, Self)
    }

    /// Puts the key into the headers of a request, unless they have one. Whether it did.
    pub fn apply(&self, headers: &mut HeaderMap) -> bool {
        if headers.contains_key(IDEMPOTENCY_KEY) {
            return false;
        }
        headers.insert(IDEMPOTENCY_KEY, self.0.clone());
        true
    }

    /// The key as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// A key of your own, such as the number of the order.
impl TryFrom<&str> for IdempotencyKey {
    type Error = InvalidKey;

    fn try_from(key: &str) -> Result<Self, InvalidKey> {
        let visible = key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if key.trim().is_empty() || key.len() > 255 || !visible {
            return Err(InvalidKey(()));
        }
        HeaderValue::from_str(key).map(Self).map_err(|_| InvalidKey(()))
    }
}

/// For `RequestBuilder::header(IDEMPOTENCY_KEY, key)`.
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

/// A text that cannot be an [`IdempotencyKey`]: empty, longer than 255 bytes, or not visible ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKey(());

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an idempotency key has 1 to 255 visible ASCII characters")
    }
}

impl std::error::Error for InvalidKey {}
