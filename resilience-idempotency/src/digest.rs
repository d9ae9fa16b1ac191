//! The hash of keys, fingerprints, function names and envelopes.

use std::fmt;

/// The longest input that is hashed in a single step.
const SHORT: usize = 256;

/// A hash of fields with the length in front of each field, so that `("a", "bc")` differs from
/// `("ab", "c")`.
///
/// A short input is collected first. The state of an incremental hash has 1.9 kB, and setting up
/// and moving the state would cost more than the hash.
#[derive(Clone)]
pub(super) struct Digest {
    key: Option<[u8; 32]>,
    input: [u8; SHORT],
    length: usize,
    /// The hash of a long input.
    long: Option<Box<blake3::Hasher>>,
}

impl Digest {
    const fn new(key: Option<[u8; 32]>) -> Self {
        Self { key, input: [0; SHORT], length: 0, long: None }
    }

    /// Returns a hash without a key, for checksums and for parts of a keyed hash.
    pub(super) const fn unkeyed() -> Self {
        Self::new(None)
    }

    pub(super) const fn keyed(key: &[u8; 32]) -> Self {
        Self::new(Some(*key))
    }

    /// Adds `bytes` with their length in front.
    pub(super) fn field(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.raw(bytes);
    }

    /// Adds the text of `value` with its length in front.
    pub(super) fn display_field(&mut self, value: impl fmt::Display) {
        use fmt::Write as _;
        let mut text = Text { bytes: [0; 64], length: 0 };
        match write!(text, "{value}") {
            Ok(()) => self.field(text.bytes.get(..text.length).unwrap_or_default()),
            Err(fmt::Error) => self.field(value.to_string().as_bytes()),
        }
    }

    pub(super) fn length(&mut self, length: usize) {
        self.raw(&(length as u64).to_le_bytes());
    }

    /// Adds bytes without a length. The input before them has to determine their length.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        if let Some(long) = &mut self.long {
            long.update(bytes);
            return;
        }
        let end = self.length.saturating_add(bytes.len());
        if let Some(free) = self.input.get_mut(self.length..end) {
            free.copy_from_slice(bytes);
            self.length = end;
            return;
        }
        let mut long =
            self.key.as_ref().map_or_else(blake3::Hasher::new, blake3::Hasher::new_keyed);
        long.update(self.input()).update(bytes);
        self.long = Some(Box::new(long));
    }

    fn input(&self) -> &[u8] {
        self.input.get(..self.length).unwrap_or_default()
    }

    pub(super) fn finish(&self) -> [u8; 32] {
        let hash = match (&self.long, &self.key) {
            (Some(long), _) => long.finalize(),
            (None, Some(key)) => blake3::keyed_hash(key, self.input()),
            (None, None) => blake3::hash(self.input()),
        };
        hash.into()
    }
}

/// A short text without an allocation.
struct Text {
    bytes: [u8; 64],
    length: usize,
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length.saturating_add(text.len());
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Returns `bytes` as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use super::*;

    /// The hash does not depend on the pieces of the input, nor on the way the input is hashed.
    #[test]
    fn short_and_long_inputs_have_the_hash_of_blake3() {
        let input: Vec<u8> = (0..=255).cycle().take(3 * SHORT).collect();
        for key in [None, Some([7; 32])] {
            for length in [0, 1, 64, SHORT - 1, SHORT, SHORT + 1, input.len()] {
                for piece in [1, 7, 100, 3 * SHORT] {
                    let input = &input[..length];
                    let mut digest = Digest::new(key);
                    input.chunks(piece).for_each(|piece| digest.raw(piece));
                    let expected = key
                        .map_or_else(|| blake3::hash(input), |key| blake3::keyed_hash(&key, input));
                    assert_eq!(digest.finish(), *expected.as_bytes(), "{length} by {piece}");
                    assert_eq!(digest.clone().finish(), digest.finish());
                }
            }
        }
    }

    #[test]
    fn a_displayed_field_is_the_field_of_its_text() {
        for text in ["", "7", &"x".repeat(64), &"x".repeat(65), &"x".repeat(500)] {
            let (mut displayed, mut plain) = (Digest::unkeyed(), Digest::unkeyed());
            displayed.display_field(text);
            plain.field(text.as_bytes());
            assert_eq!(displayed.finish(), plain.finish(), "{text}");
        }
    }
}
