use serde::Serialize;
use serde::ser::{Impossible, SerializeMap, SerializeStruct, Serializer};

use super::probe::Probe;
use super::{ContextError, Outcome, refuse, refuse_lists, written};
use crate::feature_flags::rules::Rules;
use crate::feature_flags::value::Value;
use crate::json::AsName;

/// Takes a context: an object, or nothing for one without keys. Values of keys that no condition has
/// are not looked at.
pub(super) struct Fields<'a> {
    rules: &'a Rules,
    outcomes: &'a mut [Outcome],
    /// The conditions of the key whose value is the next.
    conditions: &'a [usize],
}

impl<'a> Fields<'a> {
    pub(super) fn new(rules: &'a Rules, outcomes: &'a mut [Outcome]) -> Self {
        Self { rules, outcomes, conditions: &[] }
    }

    fn value<T: Serialize + ?Sized>(
        &mut self,
        conditions: &[usize],
        value: &T,
    ) -> Result<(), ContextError> {
        if conditions.is_empty() {
            return Ok(());
        }
        let probe = Probe { rules: self.rules, outcomes: self.outcomes, conditions };
        match value.serialize(probe) {
            Err(ContextError::Compound) => self.compound(conditions, value),
            tested => tested,
        }
    }

    /// Tests a list or an object, for which a copy is made.
    fn compound<T: Serialize + ?Sized>(
        &mut self,
        conditions: &[usize],
        value: &T,
    ) -> Result<(), ContextError> {
        let json = written(value)?;
        let value = Value::read(&json).ok_or(ContextError::Invalid("a number is too large"))?;
        Probe { rules: self.rules, outcomes: self.outcomes, conditions }.test(value.view());
        Ok(())
    }
}

impl Serializer for Fields<'_> {
    type Ok = ();
    type Error = ContextError;
    type SerializeSeq = Impossible<(), ContextError>;
    type SerializeTuple = Impossible<(), ContextError>;
    type SerializeTupleStruct = Impossible<(), ContextError>;
    type SerializeTupleVariant = Impossible<(), ContextError>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), ContextError>;

    fn serialize_map(self, _: Option<usize>) -> Result<Self, ContextError> {
        Ok(self)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self, ContextError> {
        // No type is called that: it is a sign for `serde_json`, that the only field is a whole document.
        if name.starts_with('$') {
            return Err(ContextError::Compound);
        }
        Ok(self)
    }

    fn serialize_none(self) -> Result<(), ContextError> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), ContextError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), ContextError> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), ContextError> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), ContextError> {
        value.serialize(self)
    }

    refuse! { ContextError::not_an_object();
        serialize_bool(bool)
        serialize_i8(i8)
        serialize_i16(i16)
        serialize_i32(i32)
        serialize_i64(i64)
        serialize_i128(i128)
        serialize_u8(u8)
        serialize_u16(u16)
        serialize_u32(u32)
        serialize_u64(u64)
        serialize_u128(u128)
        serialize_f32(f32)
        serialize_f64(f64)
        serialize_char(char)
        serialize_str(&str)
        serialize_bytes(&[u8])
        serialize_unit_variant(&'static str, u32, &'static str)
    }

    refuse_lists!(ContextError::not_an_object());
}

impl SerializeMap for Fields<'_> {
    type Ok = ();
    type Error = ContextError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ContextError> {
        let rules = self.rules;
        let conditions = key.serialize(AsName(|key: &str| rules.conditions_of(key)));
        self.conditions =
            conditions.map_err(|_| ContextError::Invalid("one of its keys is not a string"))?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ContextError> {
        let conditions = self.conditions;
        self.value(conditions, value)
    }

    fn end(self) -> Result<(), ContextError> {
        Ok(())
    }
}

impl SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = ContextError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), ContextError> {
        let conditions = self.rules.conditions_of(key);
        self.value(conditions, value)
    }

    fn end(self) -> Result<(), ContextError> {
        Ok(())
    }
}
