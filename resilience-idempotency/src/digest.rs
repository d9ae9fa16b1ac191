//! The hash of keys, fingerprints, function names and envelopes.

/// A hash of fields with the length in front of each field, so that `("a", "bc")` differs from
/// `("ab", "c")`.
#[derive(Clone)]
pub(super) struct Digest(blake3::Hasher);

impl Digest {
    /// Returns a hash without a key, for checksums and for parts of a keyed hash.
    pub(super) fn unkeyed() -> Self {
        Self(blake3::Hasher::new())
    }

    pub(super) fn keyed(key: &[u8; 32]) -> Self {
        Self(blake3::Hasher::new_keyed(key))
    }

    /// Adds `bytes` with their length in front.
    pub(super) fn field(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.update(bytes);
    }

    pub(super) fn length(&mut self, length: usize) {
        self.0.update(&(length as u64).to_le_bytes());
    }

    /// Adds bytes without a length. The input before them has to determine their length.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}

/// Returns `bytes` as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}
