use serde::ser::{self, Serialize};

use super::WriteError;
use super::members::Members;
use super::name::AsName;
use super::writer::Writer;

/// A list whose members are being written.
pub(super) struct List<'a> {
    pub(super) writer: &'a mut Writer,
    pub(super) variant: Option<Members>,
}

impl List<'_> {
    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.writer.next_item();
        value.serialize(&mut *self.writer)
    }

    #[inline]
    fn close(self) {
        self.writer.close(b']');
        self.writer.close_variant(self.variant);
    }
}

/// An object whose members are being written, or a document that is copied.
pub(super) enum Object<'a> {
    Members { writer: &'a mut Writer, members: Members, variant: Option<Members> },
    Raw(&'a mut Writer),
}

impl Object<'_> {
    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), WriteError> {
        match self {
            Self::Members { writer, members, .. } => {
                members.name(writer, name);
                value.serialize(&mut **writer)?;
                members.end_member(writer);
                Ok(())
            }
            Self::Raw(writer) => value.serialize(AsName(|json: &str| writer.raw(json)))?,
        }
    }

    /// An omitted member may be required when the value is read.
    #[inline]
    fn skip(&mut self) {
        if let Self::Members { writer, .. } = self {
            writer.in_doubt = true;
        }
    }

    #[inline]
    fn close(self) {
        if let Self::Members { writer, members, variant } = self {
            members.close(writer);
            writer.close_variant(variant);
        }
    }
}

impl ser::SerializeMap for Object<'_> {
    type Ok = ();
    type Error = WriteError;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), WriteError> {
        match self {
            Self::Members { writer, members, .. } => {
                name.serialize(AsName(|name: &str| members.name(writer, name)))
            }
            Self::Raw(_) => Ok(()),
        }
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        match self {
            Self::Members { writer, members, .. } => {
                value.serialize(&mut **writer)?;
                members.end_member(writer);
                Ok(())
            }
            Self::Raw(_) => Ok(()),
        }
    }

    #[inline]
    fn end(self) -> Result<(), WriteError> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeSeq for List<'_> {
    type Ok = ();
    type Error = WriteError;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.item(value)
    }

    #[inline]
    fn end(self) -> Result<(), WriteError> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeTuple for List<'_> {
    type Ok = ();
    type Error = WriteError;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.item(value)
    }

    #[inline]
    fn end(self) -> Result<(), WriteError> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeTupleStruct for List<'_> {
    type Ok = ();
    type Error = WriteError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.item(value)
    }

    #[inline]
    fn end(self) -> Result<(), WriteError> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeTupleVariant for List<'_> {
    type Ok = ();
    type Error = WriteError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.item(value)
    }

    #[inline]
    fn end(self) -> Result<(), WriteError> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeStruct for Object<'_> {
    type Ok = ();
    type Error = WriteError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        self.field(name, value)
    }

    #[inline]
    fn skip_field(&mut self, _: &'static str) -> Result<(), WriteError> {
        self.skip();
        Ok(())
    }

    #[inline]
    fn end(self) -> Result<(), WriteError> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeStructVariant for Object<'_> {
    type Ok = ();
    type Error = WriteError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        self.field(name, value)
    }

    #[inline]
    fn skip_field(&mut self, _: &'static str) -> Result<(), WriteError> {
        self.skip();
        Ok(())
    }

    #[inline]
    fn end(self) -> Result<(), WriteError> {
        self.close();
        Ok(())
    }
}
