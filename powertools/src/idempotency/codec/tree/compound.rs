use serde::ser::{self, Serialize};

use super::Tree;
use crate::idempotency::Json;
use crate::idempotency::codec::CodecError;
use crate::idempotency::codec::name::Name;
use crate::json::last_wins;

/// An enum with data is an object with one member.
pub(super) fn in_variant(variant: Option<&'static str>, value: Json) -> Json {
    match variant {
        Some(variant) => Json::Object(vec![(variant.to_owned(), value)]),
        None => value,
    }
}

/// A list in the making.
pub(in crate::idempotency::codec) struct List {
    pub(super) tree: Tree,
    pub(super) items: Vec<Json>,
    pub(super) variant: Option<&'static str>,
}

impl List {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.items.push(value.serialize(self.tree)?);
        Ok(())
    }

    fn close(self) -> Json {
        in_variant(self.variant, Json::Array(self.items))
    }
}

/// An object in the making, or a document that is copied.
pub(in crate::idempotency::codec) enum Object {
    Members {
        tree: Tree,
        members: Vec<(String, Json)>,
        name: String,
        variant: Option<&'static str>,
    },
    Raw(Json),
}

impl Object {
    pub(super) fn new(tree: Tree, variant: Option<&'static str>) -> Self {
        Self::Members { tree, members: Vec::new(), name: String::new(), variant }
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), CodecError> {
        match self {
            Self::Members { tree, members, .. } => {
                members.push((name.to_owned(), value.serialize(*tree)?));
            }
            Self::Raw(json) => *json = value.serialize(Name(super::raw))??,
        }
        Ok(())
    }

    fn close(self) -> Json {
        match self {
            Self::Members { members, variant, .. } => {
                in_variant(variant, Json::Object(last_wins(members)))
            }
            Self::Raw(json) => json,
        }
    }
}

impl ser::SerializeMap for Object {
    type Ok = Json;
    type Error = CodecError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, its_name: &T) -> Result<(), CodecError> {
        if let Self::Members { name, .. } = self {
            *name = its_name.serialize(Name(str::to_owned))?;
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        if let Self::Members { tree, members, name, .. } = self {
            members.push((std::mem::take(name), value.serialize(*tree)?));
        }
        Ok(())
    }

    fn end(self) -> Result<Json, CodecError> {
        Ok(self.close())
    }
}

impl ser::SerializeSeq for List {
    type Ok = Json;
    type Error = CodecError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.item(value)
    }

    fn end(self) -> Result<Json, CodecError> {
        Ok(self.close())
    }
}

impl ser::SerializeTuple for List {
    type Ok = Json;
    type Error = CodecError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.item(value)
    }

    fn end(self) -> Result<Json, CodecError> {
        Ok(self.close())
    }
}

impl ser::SerializeTupleStruct for List {
    type Ok = Json;
    type Error = CodecError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.item(value)
    }

    fn end(self) -> Result<Json, CodecError> {
        Ok(self.close())
    }
}

impl ser::SerializeTupleVariant for List {
    type Ok = Json;
    type Error = CodecError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.item(value)
    }

    fn end(self) -> Result<Json, CodecError> {
        Ok(self.close())
    }
}

impl ser::SerializeStruct for Object {
    type Ok = Json;
    type Error = CodecError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        self.field(name, value)
    }

    fn end(self) -> Result<Json, CodecError> {
        Ok(self.close())
    }
}

impl ser::SerializeStructVariant for Object {
    type Ok = Json;
    type Error = CodecError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        self.field(name, value)
    }

    fn end(self) -> Result<Json, CodecError> {
        Ok(self.close())
    }
}
