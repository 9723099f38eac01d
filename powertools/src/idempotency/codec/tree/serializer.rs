use serde::ser::{Serialize, Serializer};

use super::compound::{List, Object, in_variant};
use super::{Floats, Tree};
use crate::idempotency::Json;
use crate::idempotency::codec::CodecError;
use crate::json::{FLOAT, NUMBER, RAW_VALUE};

macro_rules! integers {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method(self, value: $type) -> Result<Json, CodecError> {
            super::number(value)
        })*
    };
}

impl Serializer for Tree {
    type Ok = Json;
    type Error = CodecError;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Object;
    type SerializeStruct = Object;
    type SerializeStructVariant = Object;

    integers! {
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
    }

    fn serialize_bool(self, value: bool) -> Result<Json, CodecError> {
        Ok(Json::Bool(value))
    }

    fn serialize_f32(self, value: f32) -> Result<Json, CodecError> {
        self.float(value)
    }

    fn serialize_f64(self, value: f64) -> Result<Json, CodecError> {
        self.float(value)
    }

    fn serialize_char(self, value: char) -> Result<Json, CodecError> {
        Ok(Json::String(value.into()))
    }

    fn serialize_str(self, value: &str) -> Result<Json, CodecError> {
        Ok(Json::String(value.to_owned()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Json, CodecError> {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result<Json, CodecError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Json, CodecError> {
        value.serialize(self.deeper()?)
    }

    fn serialize_unit(self) -> Result<Json, CodecError> {
        Ok(Json::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Json, CodecError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Json, CodecError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Json, CodecError> {
        let tree = self.deeper()?;
        value.serialize(if name == FLOAT { Self { floats: Floats::Taken, ..tree } } else { tree })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Json, CodecError> {
        Ok(in_variant(Some(variant), value.serialize(self.deeper()?)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, CodecError> {
        Ok(List { tree: self.deeper()?, items: Vec::new(), variant: None })
    }

    fn serialize_tuple(self, len: usize) -> Result<List, CodecError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<List, CodecError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List, CodecError> {
        let tree = self.deeper()?.deeper()?;
        Ok(List { tree, items: Vec::new(), variant: Some(variant) })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Object, CodecError> {
        Ok(Object::new(self.deeper()?, None))
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Object, CodecError> {
        if name == RAW_VALUE || name == NUMBER {
            return Ok(Object::Raw(Json::Null));
        }
        self.serialize_map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Object, CodecError> {
        Ok(Object::new(self.deeper()?.deeper()?, Some(variant)))
    }
}
