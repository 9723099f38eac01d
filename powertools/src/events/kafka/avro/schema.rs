//! What resolution compares in a schema: its type, its logical type, its name.

use std::fmt;

use apache_avro::schema::{
    Aliases, EnumSchema, FixedSchema, InnerDecimalSchema, Name, NamespaceRef, RecordField,
    RecordSchema, ResolvedSchema, Schema, UnionSchema, UuidSchema,
};

use super::plan::{Form, Number};

/// A schema at its place in another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a> {
    schema: &'a Schema,
    namespace: NamespaceRef<'a>,
    names: &'a ResolvedSchema<'a>,
}

/// A type without its logical type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind<'a> {
    Null,
    Boolean,
    Number(Number),
    Bytes,
    String,
    Fixed(&'a FixedSchema),
    Enum(&'a EnumSchema),
    Record(&'a RecordSchema),
    Array(&'a Schema),
    Map(&'a Schema),
    Union(&'a UnionSchema),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logical {
    Decimal {
        precision: usize,
        scale: usize,
    },
    BigDecimal,
    Uuid,
    Duration,
    /// A date or a time, by its name.
    Time(&'static str),
}

/// How well two names fit, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NameMatch {
    Full,
    FullAlias,
    Unqualified,
    UnqualifiedAlias,
}

impl<'a> At<'a> {
    pub(super) fn root(schema: &'a Schema, names: &'a ResolvedSchema<'a>) -> Self {
        Self { schema, namespace: None, names }
    }

    /// Returns the schema inside this one, which is no record.
    pub(super) fn inner(self, schema: &'a Schema) -> Self {
        Self { schema, ..self }
    }

    /// Returns the schema of a field.
    pub(super) fn field(self, record: &'a RecordSchema, field: &'a RecordField) -> Self {
        let namespace = record.name.namespace().or(self.namespace);
        Self { schema: &field.schema, namespace, ..self }
    }

    /// Returns the definition, if this is a reference by a name.
    pub(super) fn target(self) -> Result<Self, String> {
        let Schema::Ref { name } = self.schema else { return Ok(self) };
        let full = name.fully_qualified_name(self.namespace);
        match self.names.get_names().get(&*full) {
            Some(schema) => {
                let namespace = name.namespace().or(self.namespace);
                Ok(Self { schema, namespace, ..self })
            }
            None => Err(format!("the schema lacks a type with the name {}", full.as_ref())),
        }
    }

    pub(super) fn kind(self) -> Kind<'a> {
        match self.schema {
            // A reference was followed.
            Schema::Null | Schema::Ref { .. } => Kind::Null,
            Schema::Boolean => Kind::Boolean,
            Schema::Int | Schema::Date | Schema::TimeMillis => Kind::Number(Number::Int),
            Schema::Long
            | Schema::TimeMicros
            | Schema::TimestampMillis
            | Schema::TimestampMicros
            | Schema::TimestampNanos
            | Schema::LocalTimestampMillis
            | Schema::LocalTimestampMicros
            | Schema::LocalTimestampNanos => Kind::Number(Number::Long),
            Schema::Float => Kind::Number(Number::Float),
            Schema::Double => Kind::Number(Number::Double),
            Schema::Bytes | Schema::BigDecimal | Schema::Uuid(UuidSchema::Bytes) => Kind::Bytes,
            Schema::String | Schema::Uuid(UuidSchema::String) => Kind::String,
            Schema::Decimal(decimal) => match &decimal.inner {
                InnerDecimalSchema::Bytes => Kind::Bytes,
                InnerDecimalSchema::Fixed(fixed) => Kind::Fixed(fixed),
            },
            Schema::Fixed(fixed)
            | Schema::Duration(fixed)
            | Schema::Uuid(UuidSchema::Fixed(fixed)) => Kind::Fixed(fixed),
            Schema::Enum(symbols) => Kind::Enum(symbols),
            Schema::Record(record) => Kind::Record(record),
            Schema::Array(array) => Kind::Array(&array.items),
            Schema::Map(map) => Kind::Map(&map.types),
            Schema::Union(union) => Kind::Union(union),
        }
    }

    pub(super) fn logical(self) -> Option<Logical> {
        Some(match self.schema {
            Schema::Decimal(decimal) => {
                Logical::Decimal { precision: decimal.precision, scale: decimal.scale }
            }
            Schema::BigDecimal => Logical::BigDecimal,
            Schema::Uuid(_) => Logical::Uuid,
            Schema::Duration(_) => Logical::Duration,
            Schema::Date => Logical::Time("date"),
            Schema::TimeMillis => Logical::Time("time-millis"),
            Schema::TimeMicros => Logical::Time("time-micros"),
            Schema::TimestampMillis => Logical::Time("timestamp-millis"),
            Schema::TimestampMicros => Logical::Time("timestamp-micros"),
            Schema::TimestampNanos => Logical::Time("timestamp-nanos"),
            Schema::LocalTimestampMillis => Logical::Time("local-timestamp-millis"),
            Schema::LocalTimestampMicros => Logical::Time("local-timestamp-micros"),
            Schema::LocalTimestampNanos => Logical::Time("local-timestamp-nanos"),
            _ => return None,
        })
    }

    /// Returns what bytes of the writer are for this schema of the reader.
    pub(super) fn form(self, written_as_text: bool) -> Form {
        match self.schema {
            Schema::Decimal(_) => Form::Decimal,
            Schema::BigDecimal => Form::BigDecimal,
            Schema::Uuid(_) if written_as_text => Form::UuidText,
            Schema::Uuid(_) => Form::UuidBytes,
            Schema::String => Form::String,
            _ => Form::Bytes,
        }
    }

    /// Returns the name and aliases of a record, an enum or a fixed.
    fn named(self) -> Option<(&'a Name, &'a Aliases)> {
        match self.kind() {
            Kind::Record(record) => Some((&record.name, &record.aliases)),
            Kind::Enum(symbols) => Some((&symbols.name, &symbols.aliases)),
            Kind::Fixed(fixed) => Some((&fixed.name, &fixed.aliases)),
            _ => None,
        }
    }

    /// Returns the name without the namespace.
    pub(super) fn name(self) -> Option<&'a str> {
        self.named().map(|(name, _)| name.name())
    }

    /// Returns whether this schema of a reader has the name of the writer's. The specification compares
    /// names without their namespaces. So are aliases here: a type in Rust has no namespace as a rule.
    pub(super) fn name_match(self, writer: At<'_>) -> Option<NameMatch> {
        let (name, aliases) = self.named()?;
        let (written, _) = writer.named()?;
        let full = written.fullname(writer.namespace);
        let own = name.namespace().or(self.namespace);
        let mut aliases_full = aliases.iter().flatten().map(|alias| alias.fullname(own));
        if name.fullname(self.namespace) == full {
            Some(NameMatch::Full)
        } else if aliases_full.any(|alias| alias == full) {
            Some(NameMatch::FullAlias)
        } else if name.name() == written.name() {
            Some(NameMatch::Unqualified)
        } else if aliases.iter().flatten().any(|alias| alias.name() == written.name()) {
            Some(NameMatch::UnqualifiedAlias)
        } else {
            None
        }
    }
}

/// The type as an error names it.
impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.logical() {
            Some(Logical::Decimal { precision, scale }) => {
                write!(f, "decimal({precision}, {scale}) of ")?;
            }
            Some(Logical::BigDecimal) => f.write_str("big-decimal of ")?,
            Some(Logical::Uuid) => f.write_str("uuid of ")?,
            Some(Logical::Duration) => f.write_str("duration of ")?,
            Some(Logical::Time(name)) => write!(f, "{name} of ")?,
            None => {}
        }
        let full = |name: &Name| name.fullname(self.namespace);
        match self.kind() {
            Kind::Null => f.write_str("null"),
            Kind::Boolean => f.write_str("boolean"),
            Kind::Number(Number::Int) => f.write_str("int"),
            Kind::Number(Number::Long) => f.write_str("long"),
            Kind::Number(Number::Float) => f.write_str("float"),
            Kind::Number(Number::Double) => f.write_str("double"),
            Kind::Bytes => f.write_str("bytes"),
            Kind::String => f.write_str("string"),
            Kind::Fixed(fixed) => write!(f, "fixed {} of {} bytes", full(&fixed.name), fixed.size),
            Kind::Enum(symbols) => write!(f, "enum {}", full(&symbols.name)),
            Kind::Record(record) => write!(f, "record {}", full(&record.name)),
            Kind::Array(_) => f.write_str("array"),
            Kind::Map(_) => f.write_str("map"),
            Kind::Union(_) => f.write_str("union"),
        }
    }
}
