//! The rule for idempotency keys: 1 to 255 visible ASCII characters.
//!
//! The HTTP client, the HTTP server and `#[idempotent]` apply this rule, so the server accepts
//! every key of the client.

use core::fmt;

/// The longest idempotency key, in characters.
pub const MAX_IDEMPOTENCY_KEY_LENGTH: usize = 255;

/// The reason why an idempotency key or a scope is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyError {
    /// The call has no key.
    Missing,
    /// The key is empty.
    Empty,
    /// The key is shorter than the `min_key_length` of the function or endpoint.
    TooShort,
    /// The key is longer than 255 characters.
    TooLong,
    /// The key has characters other than visible ASCII (`!` to `~`), such as a space.
    NotVisible,
    /// The scope of the key is missing or invalid.
    Scope,
    /// An argument failed to serialize, so the call has no fingerprint.
    Fingerprint,
}

/// Checks that `text` is an idempotency key: 1 to 255 visible ASCII characters.
///
/// # Errors
/// [`KeyError`] names the first broken condition: empty, too long, not visible ASCII.
pub const fn idempotency_key(text: &[u8]) -> Result<(), KeyError> {
    if text.is_empty() {
        return Err(KeyError::Empty);
    }
    if text.len() > MAX_IDEMPOTENCY_KEY_LENGTH {
        return Err(KeyError::TooLong);
    }
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        if !byte.is_ascii_graphic() {
            return Err(KeyError::NotVisible);
        }
        rest = tail;
    }
    Ok(())
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the idempotency key is missing",
            Self::Empty => "the idempotency key is empty",
            Self::TooShort => "the idempotency key is too short",
            Self::TooLong => "the idempotency key is longer than 255 characters",
            Self::NotVisible => "the idempotency key has characters other than visible ASCII",
            Self::Scope => "the scope of the idempotency key is missing or invalid",
            Self::Fingerprint => "an argument cannot be serialized for the fingerprint of the call",
        })
    }
}

impl core::error::Error for KeyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_1_to_255_visible_ascii_characters() {
        assert_eq!(idempotency_key(b"order-7"), Ok(()));
        assert_eq!(idempotency_key(&[b'~'; 255]), Ok(()));
        assert_eq!(idempotency_key(b""), Err(KeyError::Empty));
        assert_eq!(idempotency_key(&[b'a'; 256]), Err(KeyError::TooLong));
        for text in ["order 7", "order\t7", "\u{e9}", "\u{7f}"] {
            assert_eq!(idempotency_key(text.as_bytes()), Err(KeyError::NotVisible), "{text:?}");
        }
    }
}
