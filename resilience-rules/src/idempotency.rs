//! The rule for idempotency keys: 1 to 255 visible ASCII characters.
//!
//! The HTTP client, the HTTP server and `#[idempotent]` apply this rule, so the server accepts every
//! key of the client.

use core::fmt;

/// The longest idempotency key, in characters.
pub const MAX_IDEMPOTENCY_KEY_LENGTH: usize = 255;

/// The reason why a text cannot be an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyRule {
    /// The text is empty.
    Empty,
    /// The text is longer than [`MAX_IDEMPOTENCY_KEY_LENGTH`].
    TooLong,
    /// The text has a byte outside visible ASCII (`!` to `~`), such as a space.
    NotVisible,
}

/// Checks that `text` is an idempotency key: 1 to 255 visible ASCII characters.
///
/// # Errors
/// [`KeyRule`] names the first broken condition: empty, too long, not visible ASCII.
pub const fn idempotency_key(text: &[u8]) -> Result<(), KeyRule> {
    if text.is_empty() {
        return Err(KeyRule::Empty);
    }
    if text.len() > MAX_IDEMPOTENCY_KEY_LENGTH {
        return Err(KeyRule::TooLong);
    }
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        if !byte.is_ascii_graphic() {
            return Err(KeyRule::NotVisible);
        }
        rest = tail;
    }
    Ok(())
}

impl fmt::Display for KeyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the idempotency key is empty",
            Self::TooLong => "the idempotency key is longer than 255 characters",
            Self::NotVisible => "the idempotency key has characters other than visible ASCII",
        })
    }
}

impl core::error::Error for KeyRule {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_1_to_255_visible_ascii_characters() {
        assert_eq!(idempotency_key(b"order-7"), Ok(()));
        assert_eq!(idempotency_key(&[b'~'; 255]), Ok(()));
        assert_eq!(idempotency_key(b""), Err(KeyRule::Empty));
        assert_eq!(idempotency_key(&[b'a'; 256]), Err(KeyRule::TooLong));
        for text in ["order 7", "order\t7", "\u{e9}", "\u{7f}"] {
            assert_eq!(idempotency_key(text.as_bytes()), Err(KeyRule::NotVisible), "{text:?}");
        }
    }
}
