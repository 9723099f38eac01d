use serde::Serialize;
use serde::ser::{Impossible, Serializer};

use super::{ContextError, refuse, refuse_lists, refuse_objects};
use crate::feature_flags::rules::Rules;

/// Takes the key of a map, and returns the conditions that it has. As in JSON, integers are keys, too.
pub(super) struct Key<'a>(pub(super) &'a Rules);

macro_rules! integers {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method(self, key: $type) -> Result<&'a [usize], ContextError> {
            Ok(self.0.conditions_of(itoa::Buffer::new().format(key)))
        })*
    };
}

impl<'a> Serializer for Key<'a> {
    type Ok = &'a [usize];
    type Error = ContextError;
    type SerializeSeq = Impossible<Self::Ok, ContextError>;
    type SerializeTuple = Impossible<Self::Ok, ContextError>;
    type SerializeTupleStruct = Impossible<Self::Ok, ContextError>;
    type SerializeTupleVariant = Impossible<Self::Ok, ContextError>;
    type SerializeMap = Impossible<Self::Ok, ContextError>;
    type SerializeStruct = Impossible<Self::Ok, ContextError>;
    type SerializeStructVariant = Impossible<Self::Ok, ContextError>;

    fn serialize_str(self, key: &str) -> Result<Self::Ok, ContextError> {
        Ok(self.0.conditions_of(key))
    }

    fn serialize_char(self, key: char) -> Result<Self::Ok, ContextError> {
        Ok(self.0.conditions_of(key.encode_utf8(&mut [0; 4])))
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Self::Ok, ContextError> {
        Ok(self.0.conditions_of(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        key: &T,
    ) -> Result<Self::Ok, ContextError> {
        key.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, key: &T) -> Result<Self::Ok, ContextError> {
        key.serialize(self)
    }

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

    refuse! { not_a_name();
        serialize_bool(bool)
        serialize_f32(f32)
        serialize_f64(f64)
        serialize_bytes(&[u8])
        serialize_none()
        serialize_unit()
        serialize_unit_struct(&'static str)
    }

    refuse_lists!(not_a_name());
    refuse_objects!(not_a_name());
}

fn not_a_name() -> ContextError {
    ContextError::Invalid("one of its keys is not a string".to_owned())
}
