//! The envelope of a stored outcome: codec, version of the function, and a checksum.
//!
//! An unreadable outcome never lets a call run again, because the side effect was applied.

use core::fmt;

use crate::digest::Digest;

/// The content of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoredOutcome<'b> {
    /// The bytes that the codec wrote.
    Value(&'b [u8]),
    /// No bytes: the outcome was over the limit, or the policy excludes the outcome.
    NotStored,
    /// No bytes: the outcome failed to serialize.
    Unencodable,
}

/// The reason why bytes are not an outcome of this function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EnvelopeError {
    /// The checksum does not match.
    Corrupt,
    /// The format is unknown: another library or a newer version wrote the bytes.
    Unknown,
    /// Another version of the function, or another function, wrote the bytes.
    Schema,
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Corrupt => "the stored bytes are damaged",
            Self::Unknown => "the stored bytes have an unknown format",
            Self::Schema => "the stored bytes belong to another `version` of the function",
        })
    }
}

impl core::error::Error for EnvelopeError {}

const MAGIC: &[u8; 4] = b"RSI1";
const HEAD: usize = 4 + 1 + 4 + 4;
const SUM: usize = 8;

/// The number of bytes that an envelope adds.
pub(super) const OVERHEAD: usize = HEAD + SUM;

/// Puts an outcome into an envelope.
pub(super) fn seal(
    outcome: StoredOutcome<'_>,
    codec: Codec,
    function: &str,
    version: u32,
) -> Vec<u8> {
    let (flag, payload) = match outcome {
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

/// Returns the content of an envelope.
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
    if head.get(5..) == Some(&schema) {
        Ok(StoredOutcome::Value(payload))
    } else {
        Err(EnvelopeError::Schema)
    }
}

/// The writer of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Codec(u8);

impl Codec {
    pub(super) const JSON: Self = Self(1);
    /// The bytes of a caller that claimed without the runner.
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
    fn an_envelope_opens_to_its_content() {
        let round_trip = |outcome| {
            let bytes = seal(outcome, Codec::JSON, NAME, 3);
            assert_eq!(open(&bytes, Codec::JSON, NAME, 3), Ok(outcome));
            bytes
        };
        assert_eq!(round_trip(StoredOutcome::Value(b"")).len(), OVERHEAD);
        round_trip(StoredOutcome::Value(b"{}"));
        round_trip(StoredOutcome::NotStored);
        round_trip(StoredOutcome::Unencodable);
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
    fn another_function_version_or_codec_is_rejected() {
        let bytes = seal(StoredOutcome::Value(b"1"), Codec::JSON, NAME, 3);
        assert_eq!(open(&bytes, Codec::JSON, NAME, 4), Err(EnvelopeError::Schema));
        assert_eq!(open(&bytes, Codec::JSON, "other", 3), Err(EnvelopeError::Schema));
        assert_eq!(open(&bytes, Codec::RAW, NAME, 3), Err(EnvelopeError::Unknown));
        assert_eq!(open(b"SQLite format 3", Codec::JSON, NAME, 3), Err(EnvelopeError::Unknown));
    }
}
