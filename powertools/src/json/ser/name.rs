use std::fmt::Display;

use serde::ser::{Impossible, Serialize, Serializer};

use super::WriteError;

/// Takes a value that is written as a string: the name of a member, or a document to be copied.
///
/// As in `serde_json`, numbers, bools, chars and enums without data are names too.
pub(crate) struct AsName<F>(pub(crate) F);

impl<T, F: FnOnce(&str) -> T> AsName<F> {
    fn display(self, value: impl Display) -> Result<T, WriteError> {
        Ok((self.0)(&value.to_string()))
    }
}

macro_rules! as_text {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method(self, value: $type) -> Result<T, WriteError> {
            self.display(value)
        })*
    };
}

impl<T, F: FnOnce(&str) -> T> Serializer for AsName<F> {
    type Ok = T;
    type Error = WriteError;
    type SerializeSeq = Impossible<T, WriteError>;
    type SerializeTuple = Impossible<T, WriteError>;
    type SerializeTupleStruct = Impossible<T, WriteError>;
    type SerializeTupleVariant = Impossible<T, WriteError>;
    type SerializeMap = Impossible<T, WriteError>;
    type SerializeStruct = Impossible<T, WriteError>;
    type SerializeStructVariant = Impossible<T, WriteError>;

    as_text! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_char: char,
    }

    fn serialize_str(self, value: &str) -> Result<T, WriteError> {
        Ok((self.0)(value))
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<T, WriteError> {
        Ok((self.0)(variant))
    }

    fn serialize_newtype_struct<V: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &V,
    ) -> Result<T, WriteError> {
        value.serialize(self)
    }

    fn serialize_some<V: Serialize + ?Sized>(self, value: &V) -> Result<T, WriteError> {
        value.serialize(self)
    }

    fn serialize_f32(self, value: f32) -> Result<T, WriteError> {
        match value.is_finite() {
            true => Ok((self.0)(zmij::Buffer::new().format_finite(value))),
            false => Err(not_a_name()),
        }
    }

    fn serialize_f64(self, value: f64) -> Result<T, WriteError> {
        match value.is_finite() {
            true => Ok((self.0)(zmij::Buffer::new().format_finite(value))),
            false => Err(not_a_name()),
        }
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<T, WriteError> {
        Err(not_a_name())
    }

    fn serialize_none(self) -> Result<T, WriteError> {
        Err(not_a_name())
    }

    fn serialize_unit(self) -> Result<T, WriteError> {
        Err(not_a_name())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<T, WriteError> {
        Err(not_a_name())
    }

    fn serialize_newtype_variant<V: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &V,
    ) -> Result<T, WriteError> {
        Err(not_a_name())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, WriteError> {
        Err(not_a_name())
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, WriteError> {
        Err(not_a_name())
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, WriteError> {
        Err(not_a_name())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, WriteError> {
        Err(not_a_name())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, WriteError> {
        Err(not_a_name())
    }

    fn serialize_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStruct, WriteError> {
        Err(not_a_name())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, WriteError> {
        Err(not_a_name())
    }
}

fn not_a_name() -> WriteError {
    WriteError("the name of a member has to be a string".to_owned())
}
