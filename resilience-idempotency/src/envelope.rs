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

/// An envelope whose payload is being written, in the buffer that goes to the store.
pub(super) struct Draft(Vec<u8>);

impl Draft {
    pub(super) fn new(codec: Codec, function: &str, version: u32) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(MAGIC);
        bytes.push(codec.0);
        bytes.extend_from_slice(&name_hash(function));
        bytes.extend_from_slice(&version.to_le_bytes());
        Self(bytes)
    }

    /// Returns the buffer, to append the payload.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// Returns the length of the payload.
    pub(super) fn payload_len(&self) -> usize {
        self.0.len().saturating_sub(HEAD)
    }

    /// Removes the payload: the outcome is not stored.
    pub(super) fn not_stored(self) -> Self {
        self.without_payload(NOT_STORED)
    }

    /// Removes the payload: the outcome failed to serialize.
    pub(super) fn unencodable(self) -> Self {
        self.without_payload(UNENCODABLE)
    }

    fn without_payload(mut self, flag: u8) -> Self {
        self.0.truncate(HEAD);
        if let Some(place) = self.0.get_mut(MAGIC.len()) {
            *place = flag;
        }
        self
    }

    /// Returns the envelope, with the checksum.
    pub(super) fn seal(mut self) -> Vec<u8> {
        let sum = checksum(&self.0);
        self.0.extend_from_slice(&sum);
        self.0
    }
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
    match head.get(MAGIC.len()) {
        Some(&NOT_STORED) => return Ok(StoredOutcome::NotStored),
        Some(&UNENCODABLE) => return Ok(StoredOutcome::Unencodable),
        Some(flag) if *flag == codec.0 => {}
        _ => return Err(EnvelopeError::Unknown),
    }
    let schema = [name_hash(function), version.to_le_bytes()];
    if head.get(MAGIC.len().saturating_add(1)..) == Some(schema.as_flattened()) {
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

/// Returns the FNV-1a hash of a name: the hash finds mistakes, and each replay computes it.
fn name_hash(function: &str) -> [u8; 4] {
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    function.bytes().fold(0x811c_9dc5, mix).to_le_bytes()
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

    fn seal(outcome: StoredOutcome<'_>, codec: Codec, function: &str, version: u32) -> Vec<u8> {
        let mut draft = Draft::new(codec, function, version);
        match outcome {
            StoredOutcome::Value(payload) => draft.buffer().extend_from_slice(payload),
            // The payload begins, and does not fit or fails.
            StoredOutcome::NotStored | StoredOutcome::Unencodable => {
                draft.buffer().extend_from_slice(b"[1,");
                assert_eq!(draft.payload_len(), 3);
            }
        }
        match outcome {
            StoredOutcome::Value(_) => draft,
            StoredOutcome::NotStored => draft.not_stored(),
            StoredOutcome::Unencodable => draft.unencodable(),
        }
        .seal()
    }

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
