//! The rule for idempotency keys: 1 to 255 printable ASCII characters, as in a string of RFC 9651.
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
    /// The key is empty or blank.
    Empty,
    /// The key is shorter than the `min_key_length` of the function or endpoint.
    TooShort,
    /// The key is longer than 255 characters.
    TooLong,
    /// The key has characters other than printable ASCII (space to `~`), such as a tab.
    NotPrintable,
    /// The scope of the key is missing or invalid.
    Scope,
    /// An argument failed to serialize, so the call has no fingerprint.
    Fingerprint,
}

/// Checks that `text` is an idempotency key: 1 to 255 printable ASCII characters, not all blank.
///
/// # Errors
/// [`KeyError`] names the first broken condition: too long, not printable ASCII, blank.
pub const fn idempotency_key(text: &[u8]) -> Result<(), KeyError> {
    if text.len() > MAX_IDEMPOTENCY_KEY_LENGTH {
        return Err(KeyError::TooLong);
    }
    let mut is_blank = true;
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        if !matches!(*byte, b' '..=b'~') {
            return Err(KeyError::NotPrintable);
        }
        is_blank &= *byte == b' ';
        rest = tail;
    }
    if is_blank { Err(KeyError::Empty) } else { Ok(()) }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the idempotency key is missing",
            Self::Empty => "the idempotency key is empty",
            Self::TooShort => "the idempotency key is too short",
            Self::TooLong => "the idempotency key is longer than 255 characters",
            Self::NotPrintable => "the idempotency key has characters other than printable ASCII",
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
    fn the_message_about_a_long_key_names_its_limit() {
        let error = KeyError::TooLong.to_string();
        assert!(error.ends_with(&format!(" {MAX_IDEMPOTENCY_KEY_LENGTH} characters")), "{error}");
    }

    #[test]
    fn a_key_has_1_to_255_printable_ascii_characters() {
        for text in ["order-7", "order 7", " x", "x "] {
            assert_eq!(idempotency_key(text.as_bytes()), Ok(()), "{text:?}");
        }
        assert_eq!(idempotency_key(&[b'~'; 255]), Ok(()));
        assert_eq!(idempotency_key(b""), Err(KeyError::Empty));
        assert_eq!(idempotency_key(b"   "), Err(KeyError::Empty));
        assert_eq!(idempotency_key(&[b'a'; 256]), Err(KeyError::TooLong));
        for text in ["order\t7", "\u{1f}", "\u{e9}", "\u{7f}"] {
            assert_eq!(idempotency_key(text.as_bytes()), Err(KeyError::NotPrintable), "{text:?}");
        }
    }
}
