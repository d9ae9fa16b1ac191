//! The canonical form of a `serde` value, written into a digest.

use core::fmt;

use serde::Serialize;
use serde::ser::{self, Serializer};

use crate::digest::Digest;

/// A serializer that writes one value into a digest: a letter for the kind of the value, then the
/// value.
pub(super) struct CanonicalSerializer<'d>(pub(super) &'d mut Digest);

/// The error of a value that failed to serialize.
#[derive(Debug)]
pub(super) struct SerializeError;

impl fmt::Display for SerializeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that cannot be serialized")
    }
}

impl core::error::Error for SerializeError {}

impl ser::Error for SerializeError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type SerializeResult = Result<(), SerializeError>;

impl CanonicalSerializer<'_> {
    #[expect(clippy::unnecessary_wraps, reason = "what every method of a serializer returns")]
    fn tagged(self, tag: u8, bytes: &[u8]) -> SerializeResult {
        self.0.raw(&[tag]);
        self.0.field(bytes);
        Ok(())
    }

    fn number(self, number: i128) -> SerializeResult {
        self.tagged(b'i', &number.to_le_bytes())
    }
}

impl<'d> Serializer for CanonicalSerializer<'d> {
    type Ok = ();
    type Error = SerializeError;
    type SerializeSeq = SequenceSerializer<'d>;
    type SerializeTuple = SequenceSerializer<'d>;
    type SerializeTupleStruct = SequenceSerializer<'d>;
    type SerializeTupleVariant = SequenceSerializer<'d>;
    type SerializeMap = MapSerializer<'d>;
    type SerializeStruct = MapSerializer<'d>;
    type SerializeStructVariant = MapSerializer<'d>;

    fn serialize_bool(self, value: bool) -> SerializeResult {
        self.tagged(b'b', &[u8::from(value)])
    }

    fn serialize_i8(self, value: i8) -> SerializeResult {
        self.number(value.into())
    }

    fn serialize_i16(self, value: i16) -> SerializeResult {
        self.number(value.into())
    }

    fn serialize_i32(self, value: i32) -> SerializeResult {
        self.number(value.into())
    }

    fn serialize_i64(self, value: i64) -> SerializeResult {
        self.number(value.into())
    }

    fn serialize_i128(self, value: i128) -> SerializeResult {
        self.number(value)
    }

    fn serialize_u8(self, value: u8) -> SerializeResult {
        self.number(value.into())
    }

    fn serialize_u16(self, value: u16) -> SerializeResult {
        self.number(value.into())
    }

    fn serialize_u32(self, value: u32) -> SerializeResult {
        self.number(value.into())
    }

    fn serialize_u64(self, value: u64) -> SerializeResult {
        self.number(value.into())
    }

    fn serialize_u128(self, value: u128) -> SerializeResult {
        match i128::try_from(value) {
            Ok(value) => self.number(value),
            Err(_) => self.tagged(b'u', &value.to_le_bytes()),
        }
    }

    fn serialize_f32(self, value: f32) -> SerializeResult {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> SerializeResult {
        // Normalizes the sign of zero and the bits of NaN, so that equal values have equal hashes.
        let value = if value.is_nan() { f64::NAN } else { value + 0.0 };
        self.tagged(b'f', &value.to_bits().to_le_bytes())
    }

    fn serialize_char(self, value: char) -> SerializeResult {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> SerializeResult {
        self.tagged(b's', value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> SerializeResult {
        self.tagged(b'y', value)
    }

    fn serialize_none(self) -> SerializeResult {
        self.tagged(b'n', &[])
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> SerializeResult {
        self.0.raw(b"o");
        value.serialize(CanonicalSerializer(self.0))
    }

    fn serialize_unit(self) -> SerializeResult {
        self.tagged(b'0', &[])
    }

    fn serialize_unit_struct(self, _: &'static str) -> SerializeResult {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> SerializeResult {
        self.tagged(b'v', variant.as_bytes())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> SerializeResult {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> SerializeResult {
        let digest = self.0;
        CanonicalSerializer(digest).tagged(b'w', variant.as_bytes())?;
        value.serialize(CanonicalSerializer(digest))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<SequenceSerializer<'d>, SerializeError> {
        Ok(SequenceSerializer { digest: self.0, items: 0 })
    }

    fn serialize_tuple(self, length: usize) -> Result<SequenceSerializer<'d>, SerializeError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        length: usize,
    ) -> Result<SequenceSerializer<'d>, SerializeError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<SequenceSerializer<'d>, SerializeError> {
        self.0.raw(b"w");
        self.0.field(variant.as_bytes());
        self.serialize_seq(Some(length))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<MapSerializer<'d>, SerializeError> {
        Ok(MapSerializer { digest: self.0, entries: Vec::new(), key: None })
    }

    fn serialize_struct(
        self,
        _: &'static str,
        length: usize,
    ) -> Result<MapSerializer<'d>, SerializeError> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<MapSerializer<'d>, SerializeError> {
        self.0.raw(b"w");
        self.0.field(variant.as_bytes());
        self.serialize_map(Some(length))
    }
}

/// A list: a mark before each item, then the number of items.
pub(super) struct SequenceSerializer<'d> {
    digest: &'d mut Digest,
    items: usize,
}

impl SequenceSerializer<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> SerializeResult {
        self.items = self.items.saturating_add(1);
        self.digest.raw(b",");
        value.serialize(CanonicalSerializer(self.digest))
    }

    fn finish(self) {
        self.digest.raw(b"]");
        self.digest.length(self.items);
    }
}

macro_rules! sequences {
    ($($of:ident: $add:ident),*) => {
        $(impl ser::$of for SequenceSerializer<'_> {
            type Ok = ();
            type Error = SerializeError;

            fn $add<T: Serialize + ?Sized>(&mut self, value: &T) -> SerializeResult {
                self.item(value)
            }

            fn end(self) -> SerializeResult {
                self.finish();
                Ok(())
            }
        })*
    };
}
sequences!(SerializeSeq: serialize_element, SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field, SerializeTupleVariant: serialize_field);

/// A map or a struct: the hashes of the entries, sorted by hash, so that the order of entries does
/// not count.
pub(super) struct MapSerializer<'d> {
    digest: &'d mut Digest,
    entries: Vec<[u8; 32]>,
    key: Option<Digest>,
}

impl MapSerializer<'_> {
    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> SerializeResult {
        let mut entry = Digest::unkeyed();
        key.serialize(CanonicalSerializer(&mut entry))?;
        self.key = Some(entry);
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> SerializeResult {
        let mut entry = self.key.take().ok_or(SerializeError)?;
        value.serialize(CanonicalSerializer(&mut entry))?;
        self.entries.push(entry.finish());
        Ok(())
    }

    fn finish(mut self) {
        self.entries.sort_unstable();
        self.digest.raw(b"}");
        self.digest.length(self.entries.len());
        self.entries.iter().for_each(|entry| self.digest.raw(entry));
    }
}

impl ser::SerializeMap for MapSerializer<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> SerializeResult {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> SerializeResult {
        self.value(value)
    }

    fn end(self) -> SerializeResult {
        self.finish();
        Ok(())
    }
}

macro_rules! structs {
    ($($of:ident),*) => {
        $(impl ser::$of for MapSerializer<'_> {
            type Ok = ();
            type Error = SerializeError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> SerializeResult {
                self.key(name)?;
                self.value(value)
            }

            fn end(self) -> SerializeResult {
                self.finish();
                Ok(())
            }
        })*
    };
}
structs!(SerializeStruct, SerializeStructVariant);
