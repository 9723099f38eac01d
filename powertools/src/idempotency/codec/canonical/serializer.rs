use serde::ser::{Serialize, Serializer};

use super::Canonical;
use super::compound::{List, Object};
use super::members::Members;
use crate::idempotency::codec::CodecError;
use crate::json::{NUMBER, RAW_VALUE};

macro_rules! integers {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method(self, value: $type) -> Result<(), CodecError> {
            self.integer(value);
            Ok(())
        })*
    };
}

impl<'a> Serializer for &'a mut Canonical {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = List<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = List<'a>;
    type SerializeMap = Object<'a>;
    type SerializeStruct = Object<'a>;
    type SerializeStructVariant = Object<'a>;

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

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), CodecError> {
        self.word(if value { "true" } else { "false" });
        Ok(())
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<(), CodecError> {
        self.float(value)
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<(), CodecError> {
        self.float(value)
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<(), CodecError> {
        self.string(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), CodecError> {
        self.string(value);
        Ok(())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result<(), CodecError> {
        self.collect_seq(value)
    }

    #[inline]
    fn serialize_none(self) -> Result<(), CodecError> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CodecError> {
        self.wrapped(value)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), CodecError> {
        self.word("null");
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), CodecError> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), CodecError> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        self.wrapped(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        let outer = self.open_variant(variant)?;
        value.serialize(&mut *self)?;
        self.close_variant(Some(outer));
        Ok(())
    }

    #[inline]
    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>, CodecError> {
        self.open(b'[')?;
        Ok(List { text: self, variant: None })
    }

    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<List<'a>, CodecError> {
        self.serialize_seq(Some(len))
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<List<'a>, CodecError> {
        self.serialize_seq(Some(len))
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List<'a>, CodecError> {
        let outer = self.open_variant(variant)?;
        self.open(b'[')?;
        Ok(List { text: self, variant: Some(outer) })
    }

    #[inline]
    fn serialize_map(self, _: Option<usize>) -> Result<Object<'a>, CodecError> {
        let members = Members::open(self)?;
        Ok(Object::Members { text: self, members, variant: None })
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Object<'a>, CodecError> {
        if name == RAW_VALUE || name == NUMBER {
            return Ok(Object::Raw(self));
        }
        self.serialize_map(Some(len))
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Object<'a>, CodecError> {
        let outer = self.open_variant(variant)?;
        let members = Members::open(self)?;
        Ok(Object::Members { text: self, members, variant: Some(outer) })
    }
}

impl Canonical {
    #[inline]
    fn wrapped<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.deeper()?;
        value.serialize(&mut *self)?;
        self.depth -= 1;
        Ok(())
    }

    /// An enum with data is an object with one member.
    #[inline]
    fn open_variant(&mut self, variant: &str) -> Result<Members, CodecError> {
        let mut members = Members::open(self)?;
        members.name(self, variant);
        Ok(members)
    }

    #[inline]
    pub(super) fn close_variant(&mut self, variant: Option<Members>) {
        if let Some(members) = variant {
            members.end_member(self);
            members.close(self);
        }
    }
}
