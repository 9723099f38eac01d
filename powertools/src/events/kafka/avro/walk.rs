//! Checks a datum before it is parsed.
//!
//! `apache-avro` returns null for a string that is cut off, ignores bytes after the datum, reserves
//! memory for any length that the data claims, and recurses as deeply as the data does.

use apache_avro::schema::{
    InnerDecimalSchema, Name, NamespaceRef, ResolvedSchema, Schema, UuidSchema,
};

/// How deeply values may be nested.
const DEPTH: usize = 64;

/// How many values without bytes, such as nulls, there may be for each byte of the data, and beside
/// that.
const PER_BYTE: usize = 16;
const BESIDE: usize = 1_024;

/// Returns the number of the values in a datum, all of whose bytes are used.
pub(super) fn count(schema: &Schema, datum: &[u8]) -> Result<usize, &'static str> {
    let names = ResolvedSchema::try_from(schema).map_err(|_| "the schema lacks a named type")?;
    let most = datum.len().saturating_mul(PER_BYTE) + BESIDE;
    let mut walk = Walk { names: &names, rest: datum, count: 0, most };
    walk.value(schema, None, 0)?;
    if walk.rest.is_empty() { Ok(walk.count) } else { Err("bytes follow that are not read") }
}

struct Walk<'a> {
    names: &'a ResolvedSchema<'a>,
    rest: &'a [u8],
    count: usize,
    most: usize,
}

impl Walk<'_> {
    fn value(
        &mut self,
        schema: &Schema,
        namespace: NamespaceRef<'_>,
        depth: usize,
    ) -> Result<(), &'static str> {
        self.count += 1;
        if self.count > self.most {
            return Err("it has more values than its size allows");
        }
        if depth > DEPTH {
            return Err("its values are nested too deeply");
        }
        match schema {
            Schema::Null => Ok(()),
            Schema::Boolean => self.skip(1),
            Schema::Int
            | Schema::Long
            | Schema::Enum(_)
            | Schema::Date
            | Schema::TimeMillis
            | Schema::TimeMicros
            | Schema::TimestampMillis
            | Schema::TimestampMicros
            | Schema::TimestampNanos
            | Schema::LocalTimestampMillis
            | Schema::LocalTimestampMicros
            | Schema::LocalTimestampNanos => self.long().map(drop),
            Schema::Float => self.skip(4),
            Schema::Double => self.skip(8),
            Schema::Bytes | Schema::String | Schema::BigDecimal => self.bytes(),
            Schema::Uuid(UuidSchema::Bytes | UuidSchema::String) => self.bytes(),
            Schema::Decimal(decimal) => match &decimal.inner {
                InnerDecimalSchema::Bytes => self.bytes(),
                InnerDecimalSchema::Fixed(fixed) => self.skip(fixed.size),
            },
            Schema::Fixed(fixed)
            | Schema::Duration(fixed)
            | Schema::Uuid(UuidSchema::Fixed(fixed)) => self.skip(fixed.size),
            Schema::Array(array) => {
                self.blocks(|walk| walk.value(&array.items, namespace, depth + 1))
            }
            Schema::Map(map) => self.blocks(|walk| {
                walk.bytes()?;
                walk.value(&map.types, namespace, depth + 1)
            }),
            Schema::Union(union) => {
                let index = usize::try_from(self.long()?).ok();
                let variant = index.and_then(|index| union.variants().get(index));
                let variant = variant.ok_or("it has a variant that its union does not have")?;
                self.value(variant, namespace, depth + 1)
            }
            Schema::Record(record) => {
                let name = record.name.fully_qualified_name(namespace);
                for field in &record.fields {
                    self.value(&field.schema, name.namespace(), depth + 1)?;
                }
                Ok(())
            }
            Schema::Ref { name } => self.named(name, namespace, depth),
        }
    }

    fn named(
        &mut self,
        name: &Name,
        namespace: NamespaceRef<'_>,
        depth: usize,
    ) -> Result<(), &'static str> {
        let name = name.fully_qualified_name(namespace);
        let schema = self.names.get_names().get(&*name).copied();
        self.value(schema.ok_or("the schema lacks a named type")?, name.namespace(), depth + 1)
    }

    /// Reads blocks of items, each with its number of items, until an empty one.
    fn blocks(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), &'static str>,
    ) -> Result<(), &'static str> {
        loop {
            let count = self.long()?;
            if count == 0 {
                return Ok(());
            }
            if count < 0 {
                // The size of the block in bytes.
                self.long()?;
            }
            for _ in 0..count.unsigned_abs() {
                item(self)?;
            }
        }
    }

    fn bytes(&mut self) -> Result<(), &'static str> {
        let length = self.long()?;
        self.skip(usize::try_from(length).map_err(|_| "a length is negative")?)
    }

    fn skip(&mut self, bytes: usize) -> Result<(), &'static str> {
        self.rest = self.rest.get(bytes..).ok_or("it is cut off")?;
        Ok(())
    }

    /// Reads a zigzag varint.
    fn long(&mut self) -> Result<i64, &'static str> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or("it is cut off")?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((number >> 1) as i64 ^ -((number & 1) as i64));
            }
        }
        Err("a number has too many bytes")
    }
}
