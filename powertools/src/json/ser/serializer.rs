use serde::ser::{Serialize, Serializer};

use super::compound::{List, Object};
use super::members::Members;
use super::writer::{Form, Writer};
use super::{ABSENT, FLOAT, NUMBER, RAW_VALUE, WriteError};
use crate::json::write;

macro_rules! integers {
    ($($method:ident: $type:ty,)*) => {
        $(#[inline]
        fn $method(self, value: $type) -> Result<(), WriteError> {
            write::integer(&mut self.out, value);
            Ok(())
        })*
    };
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = WriteError;
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
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
    }

    /// What serde buffers, under `flatten` or in an untagged enum, has no integers of this size.
    fn serialize_i128(self, value: i128) -> Result<(), WriteError> {
        self.in_doubt = true;
        write::integer(&mut self.out, value);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), WriteError> {
        self.in_doubt = true;
        write::integer(&mut self.out, value);
        Ok(())
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), WriteError> {
        self.word(if value { "true" } else { "false" });
        Ok(())
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<(), WriteError> {
        self.float(value)
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<(), WriteError> {
        self.float(value)
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<(), WriteError> {
        self.string(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), WriteError> {
        self.string(value);
        Ok(())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result<(), WriteError> {
        self.collect_seq(value)
    }

    #[inline]
    fn serialize_none(self) -> Result<(), WriteError> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), WriteError> {
        let start = self.out.len();
        self.wrapped(value)?;
        if self.form == Form::Result && self.out[start..] == *b"null" {
            let reason = "`Some` of a value that is written as null, which is read as `None`";
            return Err(WriteError(reason.to_owned()));
        }
        Ok(())
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), WriteError> {
        self.word("null");
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, name: &'static str) -> Result<(), WriteError> {
        self.is_absent |= name == ABSENT;
        self.serialize_unit()
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), WriteError> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        if name == FLOAT {
            let text = self.has_its_text;
            self.has_its_text = true;
            let written = value.serialize(&mut *self);
            self.has_its_text = text;
            return written;
        }
        self.wrapped(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        let outer = self.open_variant(variant)?;
        value.serialize(&mut *self)?;
        self.close_variant(Some(outer));
        Ok(())
    }

    #[inline]
    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>, WriteError> {
        self.open(b'[')?;
        Ok(List { writer: self, variant: None })
    }

    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<List<'a>, WriteError> {
        self.serialize_seq(Some(len))
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<List<'a>, WriteError> {
        self.serialize_seq(Some(len))
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List<'a>, WriteError> {
        let outer = self.open_variant(variant)?;
        self.open(b'[')?;
        Ok(List { writer: self, variant: Some(outer) })
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Object<'a>, WriteError> {
        // So are flattened members, where an omitted one is not visible.
        self.in_doubt |= len.is_none();
        let members = Members::open(self)?;
        Ok(Object::Members { writer: self, members, variant: None })
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Object<'a>, WriteError> {
        // Its type may read a float, which has fewer digits.
        self.in_doubt |= name == NUMBER;
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
    ) -> Result<Object<'a>, WriteError> {
        let outer = self.open_variant(variant)?;
        let members = Members::open(self)?;
        Ok(Object::Members { writer: self, members, variant: Some(outer) })
    }
}

impl Writer {
    #[inline]
    fn wrapped<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.deeper()?;
        value.serialize(&mut *self)?;
        self.shallower();
        Ok(())
    }

    /// An enum with data is an object with one member.
    #[inline]
    fn open_variant(&mut self, variant: &str) -> Result<Members, WriteError> {
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
