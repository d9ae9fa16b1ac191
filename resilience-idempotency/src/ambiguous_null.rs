//! Finds values whose JSON reads back as another value.
//!
//! JSON has one `null`: `Some(())` and `Some(None)` read back as `None`, and an infinite number or
//! NaN becomes `null` too.

use core::fmt::Display;

use serde::Serialize;
use serde::ser::{
    Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::Error as JsonError;

/// Returns an error for a value that JSON cannot represent.
pub(super) fn check<T: Serialize + ?Sized>(value: &T) -> Result<(), JsonError> {
    value.serialize(Check).map(drop)
}

/// The form of a value in JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Null,
    Other,
}

type Checked = Result<Form, JsonError>;

/// A serializer without output.
#[derive(Clone, Copy)]
struct Check;

fn finite(is_finite: bool) -> Checked {
    if is_finite { Ok(Form::Other) } else { Err(Error::custom("JSON has no such number")) }
}

/// The serializer of a value that is neither `null` nor contains other values.
macro_rules! scalars {
    ($($method:ident: $value:ty),* $(,)?) => {
        $(
            #[inline]
            fn $method(self, _: $value) -> Checked {
                Ok(Form::Other)
            }
        )*
    };
}

impl Serializer for Check {
    type Ok = Form;
    type Error = JsonError;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    scalars! {
        serialize_bool: bool, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_u128: u128,
    }

    fn serialize_f32(self, value: f32) -> Checked {
        finite(value.is_finite())
    }

    fn serialize_f64(self, value: f64) -> Checked {
        finite(value.is_finite())
    }

    fn collect_str<T: Display + ?Sized>(self, _: &T) -> Checked {
        Ok(Form::Other)
    }

    fn serialize_none(self) -> Checked {
        Ok(Form::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Checked {
        match value.serialize(self)? {
            Form::Null => Err(Error::custom("JSON has one null for this value and for no value")),
            Form::Other => Ok(Form::Other),
        }
    }

    fn serialize_unit(self) -> Checked {
        Ok(Form::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Checked {
        Ok(Form::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Checked {
        Ok(Form::Other)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Checked {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Checked {
        value.serialize(self)?;
        Ok(Form::Other)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, JsonError> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, JsonError> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, JsonError> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, JsonError> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, JsonError> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, JsonError> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, JsonError> {
        Ok(self)
    }
}

/// The parts of a compound value, which is not `null`.
macro_rules! parts {
    ($($compound:ident: $method:ident),* $(,)?) => {
        $(
            impl $compound for Check {
                type Ok = Form;
                type Error = JsonError;

                fn $method<T: Serialize + ?Sized>(&mut self, part: &T) -> Result<(), JsonError> {
                    check(part)
                }

                fn end(self) -> Checked {
                    Ok(Form::Other)
                }
            }
        )*
    };
}

parts! {
    SerializeSeq: serialize_element, SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field, SerializeTupleVariant: serialize_field,
}

macro_rules! fields {
    ($($compound:ident),*) => {
        $(
            impl $compound for Check {
                type Ok = Form;
                type Error = JsonError;

                fn serialize_field<T: Serialize + ?Sized>(
                    &mut self,
                    _: &'static str,
                    field: &T,
                ) -> Result<(), JsonError> {
                    check(field)
                }

                fn end(self) -> Checked {
                    Ok(Form::Other)
                }
            }
        )*
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Check {
    type Ok = Form;
    type Error = JsonError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), JsonError> {
        // The writer rejects a key that is no text.
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
        check(value)
    }

    fn end(self) -> Checked {
        Ok(Form::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::num::Wrapping;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    fn is_read_back<T>(value: &T) -> bool
    where
        T: Serialize + for<'de> Deserialize<'de> + PartialEq,
    {
        let json = serde_json::to_vec(value).expect("JSON");
        serde_json::from_slice::<T>(&json).is_ok_and(|read| read == *value)
    }

    /// Every form of a value around another value.
    macro_rules! agree {
        ($($value:expr),* $(,)?) => {
            $(
                assert_eq!(check(&$value).is_ok(), is_read_back(&$value), "{:?}", $value);
                let wrapped = (
                    vec![Ok($value), Err(1)], BTreeMap::from([(7, $value)]), [$value], ($value, 1),
                );
                assert_eq!(check(&wrapped).is_ok(), is_read_back(&wrapped), "{wrapped:?}");
            )*
        };
    }

    #[test]
    fn the_check_finds_the_values_that_json_loses() {
        agree!(
            (),
            Some(()),
            None::<()>,
            Some(Some(7)),
            Some(None::<u8>),
            Some(String::new()),
            None::<f64>
        );
        agree!(
            Wrapping(()),
            Some(Wrapping(())),
            Some(Ok::<_, u8>(())),
            Some(Ok::<_, u8>(Some(())))
        );
        agree!(1.5, f64::MAX, f64::INFINITY, f32::NEG_INFINITY, Some(-0.0), Some(f64::INFINITY));
        agree!(
            Some([(); 2]),
            Some(BTreeMap::<u8, u8>::new()),
            Some('x'),
            Some(true),
            Some(u128::MAX)
        );
        agree!(Some(serde_json::Value::Null), Some(serde_json::json!([null])));
        assert!(check(&f64::NAN).is_err() && check(&Some(f32::NAN)).is_err());
    }
}
