//! What an outcome is kept in: how it was written, for which version of the function, and a checksum.
//!
//! What cannot be read is never a reason to run again: the effect has happened.

use core::fmt;

use crate::digest::Digest;

/// An outcome as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoredOutcome<'b> {
    /// The bytes of the codec.
    Value(&'b [u8]),
    /// It was longer than what may be kept, or not meant to be.
    NotStored,
    /// It could not be written.
    Unencodable,
}

/// Why bytes are no outcome of this function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EnvelopeError {
    /// The bytes are not those that were written.
    Corrupt,
    /// They are of another library, or of a version to come.
    Unknown,
    /// They are of another version of the function.
    Schema,
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Corrupt => "the stored bytes are damaged",
            Self::Unknown => "the stored bytes are not in a form that this version knows",
            Self::Schema => "the stored bytes are of another `version` of the function",
        })
    }
}

impl core::error::Error for EnvelopeError {}

const MAGIC: &[u8; 4] = b"RSI1";
const HEAD: usize = 4 + 1 + 4 + 4;
const SUM: usize = 8;

/// How many bytes an envelope adds.
pub(super) const OVERHEAD: usize = HEAD + SUM;

/// Puts an outcome into its envelope. `function` is the name of the function, `codec` who wrote the bytes.
pub(super) fn seal(kept: StoredOutcome<'_>, codec: Codec, function: &str, version: u32) -> Vec<u8> {
    let (flag, payload) = match kept {
        StoredOutcome::Value(payload) => (codec.0, payload),
        StoredOutcome::NotStored => (NOT_STORED, &[][..]),
        StoredOutcome::Unencodable => (UNENCODABLE, &[][..]),
    };
    let mut bytes = Vec::with_capacity(payload.len().saturating_add(OVERHEAD));
    bytes.extend_from_slice(MAGIC);
    bytes.push(flag);
    bytes.extend_from_slice(&name_hash(function));
    bytes.extend_from_slice(&version.to_le_bytes());
    bytes.extend_from_slice(payload);
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

/// What stands in an envelope.
pub(super) fn open<'b>(
    bytes: &'b [u8],
    codec: Codec,
    function: &str,
    version: u32,
) -> Result<StoredOutcome<'b>, EnvelopeError> {
    if !bytes.starts_with(MAGIC) {
        return Err(EnvelopeError::Unknown);
    }
    let end = bytes.len().checked_sub(SUM).ok_or(EnvelopeError::Corrupt)?;
    let (written, sum) = bytes.split_at_checked(end).ok_or(EnvelopeError::Corrupt)?;
    if checksum(written) != sum {
        return Err(EnvelopeError::Corrupt);
    }
    let (head, payload) = written.split_at_checked(HEAD).ok_or(EnvelopeError::Corrupt)?;
    let schema = [name_hash(function), version.to_le_bytes()].concat();
    match head.get(4) {
        Some(&NOT_STORED) => return Ok(StoredOutcome::NotStored),
        Some(&UNENCODABLE) => return Ok(StoredOutcome::Unencodable),
        Some(flag) if *flag == codec.0 => {}
        _ => return Err(EnvelopeError::Unknown),
    }
    if head.get(5..) == Some(&schema) { Ok(StoredOutcome::Value(payload)) } else { Err(EnvelopeError::Schema) }
}

/// Who wrote the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Codec(u8);

impl Codec {
    pub(super) const JSON: Self = Self(1);
    /// The caller of a claim by hand.
    pub(super) const RAW: Self = Self(2);
}

const NOT_STORED: u8 = 0x80;
const UNENCODABLE: u8 = 0x81;

fn name_hash(function: &str) -> [u8; 4] {
    let mut digest = Digest::unkeyed();
    digest.field(function.as_bytes());
    digest.finish().first_chunk().copied().unwrap_or_default()
}

fn checksum(bytes: &[u8]) -> [u8; SUM] {
    let mut digest = Digest::unkeyed();
    digest.field(bytes);
    digest.finish().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "payments.charge";

    #[test]
    fn what_was_sealed_is_opened() {
        let round = |kept| {
            let bytes = seal(kept, Codec::JSON, NAME, 3);
            assert_eq!(open(&bytes, Codec::JSON, NAME, 3), Ok(kept));
            bytes
        };
        assert_eq!(round(StoredOutcome::Value(b"")).len(), OVERHEAD);
        round(StoredOutcome::Value(b"{}"));
        round(StoredOutcome::NotStored);
        round(StoredOutcome::Unencodable);
    }

    #[test]
    fn every_bit_counts() {
        let sealed = seal(StoredOutcome::Value(b"{\"id\":7}"), Codec::JSON, NAME, 3);
        for at in 0..sealed.len() * 8 {
            let mut bytes = sealed.clone();
            bytes[at / 8] ^= 1 << (at % 8);
            assert!(open(&bytes, Codec::JSON, NAME, 3).is_err(), "bit {at}");
        }
        for end in 0..sealed.len() {
            assert!(open(&sealed[..end], Codec::JSON, NAME, 3).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn another_function_version_or_codec_is_not_read() {
        let bytes = seal(StoredOutcome::Value(b"1"), Codec::JSON, NAME, 3);
        assert_eq!(open(&bytes, Codec::JSON, NAME, 4), Err(EnvelopeError::Schema));
        assert_eq!(open(&bytes, Codec::JSON, "other", 3), Err(EnvelopeError::Schema));
        assert_eq!(open(&bytes, Codec::RAW, NAME, 3), Err(EnvelopeError::Unknown));
        assert_eq!(open(b"SQLite format 3", Codec::JSON, NAME, 3), Err(EnvelopeError::Unknown));
    }
}
