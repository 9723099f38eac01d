use serde::ser::{self, Serialize};

use super::Canonical;
use super::members::Members;
use crate::idempotency::codec::CodecError;
use crate::idempotency::codec::name::Name;

/// A list whose members are being written.
pub(in crate::idempotency::codec) struct List<'a> {
    pub(super) text: &'a mut Canonical,
    pub(super) variant: Option<Members>,
}

impl List<'_> {
    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.text.next_item();
        value.serialize(&mut *self.text)
    }

    #[inline]
    fn close(self) {
        self.text.close(b']');
        self.text.close_variant(self.variant);
    }
}

/// An object whose members are being written, or a document that is copied.
pub(in crate::idempotency::codec) enum Object<'a> {
    Members { text: &'a mut Canonical, members: Members, variant: Option<Members> },
    Raw(&'a mut Canonical),
}

impl Object<'_> {
    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), CodecError> {
        match self {
            Self::Members { text, members, .. } => {
                members.name(text, name);
                value.serialize(&mut **text)?;
                members.end_member(text);
                Ok(())
            }
            Self::Raw(text) => value.serialize(Name(|json: &str| text.raw(json)))?,
        }
    }

    #[inline]
    fn close(self) {
        if let Self::Members { text, members, variant } = self {
            members.close(text);
            text.close_variant(variant);
        }
    }
}

impl ser::SerializeMap for Object<'_> {
    type Ok = ();
    type Error = CodecError;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), CodecError> {
        match self {
            Self::Members { text, members, .. } => {
                name.serialize(Name(|name: &str| members.name(text, name)))
            }
            Self::Raw(_) => Ok(()),
        }
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        match self {
            Self::Members { text, members, .. } => {
                value.serialize(&mut **text)?;
                members.end_member(text);
                Ok(())
            }
            Self::Raw(_) => Ok(()),
        }
    }

    #[inline]
    fn end(self) -> Result<(), CodecError> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeSeq for List<'_> {
    type Ok = ();
    type Error = CodecError;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.item(value)
    }

    #[inline]
    fn end(self) -> Result<(), CodecError> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeTuple for List<'_> {
    type Ok = ();
    type Error = CodecError;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.item(value)
    }

    #[inline]
    fn end(self) -> Result<(), CodecError> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeTupleStruct for List<'_> {
    type Ok = ();
    type Error = CodecError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.item(value)
    }

    #[inline]
    fn end(self) -> Result<(), CodecError> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeTupleVariant for List<'_> {
    type Ok = ();
    type Error = CodecError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.item(value)
    }

    #[inline]
    fn end(self) -> Result<(), CodecError> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeStruct for Object<'_> {
    type Ok = ();
    type Error = CodecError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        self.field(name, value)
    }

    #[inline]
    fn end(self) -> Result<(), CodecError> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeStructVariant for Object<'_> {
    type Ok = ();
    type Error = CodecError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        self.field(name, value)
    }

    #[inline]
    fn end(self) -> Result<(), CodecError> {
        self.close();
        Ok(())
    }
}
