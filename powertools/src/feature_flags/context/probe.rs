use serde::Serialize;
use serde::ser::{Impossible, Serializer};

use super::{ContextError, Outcome, refuse, refuse_lists, refuse_objects};
use crate::feature_flags::rules::Rules;
use crate::feature_flags::value::View;

/// Takes the value of a key, and tests the conditions of that key with it.
pub(super) struct Probe<'a> {
    pub(super) rules: &'a Rules,
    pub(super) outcomes: &'a mut [Outcome],
    pub(super) conditions: &'a [usize],
}

impl Probe<'_> {
    pub(super) fn test(self, value: View<'_>) {
        for &condition in self.conditions {
            self.outcomes[condition] = self.rules.test(condition, value);
        }
    }
}

macro_rules! scalars {
    ($($method:ident: $type:ty as $view:ident,)*) => {
        $(fn $method(self, value: $type) -> Result<(), ContextError> {
            self.test(View::$view(value.into()));
            Ok(())
        })*
    };
}

impl Serializer for Probe<'_> {
    type Ok = ();
    type Error = ContextError;
    type SerializeSeq = Impossible<(), ContextError>;
    type SerializeTuple = Impossible<(), ContextError>;
    type SerializeTupleStruct = Impossible<(), ContextError>;
    type SerializeTupleVariant = Impossible<(), ContextError>;
    type SerializeMap = Impossible<(), ContextError>;
    type SerializeStruct = Impossible<(), ContextError>;
    type SerializeStructVariant = Impossible<(), ContextError>;

    scalars! {
        serialize_bool: bool as Bool,
        serialize_i8: i8 as Integer,
        serialize_i16: i16 as Integer,
        serialize_i32: i32 as Integer,
        serialize_i64: i64 as Integer,
        serialize_i128: i128 as Integer,
        serialize_u8: u8 as Integer,
        serialize_u16: u16 as Integer,
        serialize_u32: u32 as Integer,
        serialize_u64: u64 as Integer,
        serialize_f64: f64 as Float,
    }

    fn serialize_u128(self, value: u128) -> Result<(), ContextError> {
        self.test(i128::try_from(value).map_or(View::Float(value as f64), View::Integer));
        Ok(())
    }

    /// As the double with the same digits: 0.1 is that of a document, too.
    fn serialize_f32(self, value: f32) -> Result<(), ContextError> {
        let digits = zmij::Buffer::new().format(value).parse();
        self.test(View::Float(digits.unwrap_or(f64::NAN)));
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), ContextError> {
        self.test(View::Text(value.encode_utf8(&mut [0; 4])));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), ContextError> {
        self.test(View::Text(value));
        Ok(())
    }

    fn serialize_none(self) -> Result<(), ContextError> {
        self.serialize_unit()
    }

    fn serialize_unit(self) -> Result<(), ContextError> {
        self.test(View::Null);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), ContextError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), ContextError> {
        self.serialize_str(variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), ContextError> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), ContextError> {
        value.serialize(self)
    }

    refuse! { ContextError::Compound;
        serialize_bytes(&[u8])
    }

    refuse_lists!(ContextError::Compound);
    refuse_objects!(ContextError::Compound);
}
