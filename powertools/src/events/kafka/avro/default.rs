//! The default of a field: JSON in the reader's schema, written as Avro.

use serde_json::Value as Json;

use super::plan::{DEPTH, Number};
use super::schema::{At, Kind};

/// How many values a default may have. The branches of a union that are tried count too.
const MOST: usize = 10_000;

/// Writes a default as the table "field default values" of the specification reads it, or returns
/// `None` if it does not fit the schema.
pub(super) fn encode(json: &Json, at: At<'_>) -> Option<Vec<u8>> {
    let mut writer = Writer { out: Vec::new(), values: 0 };
    writer.value(json, at, 0)?;
    Some(writer.out)
}

struct Writer {
    out: Vec<u8>,
    values: usize,
}

impl Writer {
    fn value(&mut self, json: &Json, at: At<'_>, depth: usize) -> Option<()> {
        self.values += 1;
        if depth > DEPTH || self.values > MOST {
            return None;
        }
        let at = at.target().ok()?;
        match at.kind() {
            Kind::Null => json.as_null(),
            Kind::Boolean => {
                self.out.push(json.as_bool()?.into());
                Some(())
            }
            Kind::Number(Number::Int) => {
                self.long(i32::try_from(json.as_i64()?).ok()?.into());
                Some(())
            }
            Kind::Number(Number::Long) => {
                self.long(json.as_i64()?);
                Some(())
            }
            Kind::Number(Number::Float) => {
                let number = json.as_f64()? as f32;
                self.out.extend(number.is_finite().then_some(number.to_le_bytes())?);
                Some(())
            }
            Kind::Number(Number::Double) => {
                self.out.extend(json.as_f64()?.to_le_bytes());
                Some(())
            }
            Kind::String => self.bytes(json.as_str()?.as_bytes()),
            Kind::Bytes => self.bytes(&latin1(json)?),
            Kind::Fixed(fixed) => {
                let bytes = latin1(json)?;
                self.out.extend((bytes.len() == fixed.size).then_some(bytes)?);
                Some(())
            }
            Kind::Enum(symbols) => {
                let symbol = json.as_str()?;
                let index = symbols.symbols.iter().position(|known| known == symbol)?;
                self.long(index.try_into().ok()?);
                Some(())
            }
            Kind::Array(item) => {
                let items = json.as_array()?;
                self.block(items.len())?;
                for value in items {
                    self.value(value, at.inner(item), depth + 1)?;
                }
                self.long(0);
                Some(())
            }
            Kind::Map(entry) => {
                let entries = json.as_object()?;
                self.block(entries.len())?;
                for (key, value) in entries {
                    self.bytes(key.as_bytes())?;
                    self.value(value, at.inner(entry), depth + 1)?;
                }
                self.long(0);
                Some(())
            }
            // Since version 1.12 of the specification: the first branch that the default fits.
            Kind::Union(union) => {
                let start = self.out.len();
                (0..).zip(union.variants()).find_map(|(index, variant)| {
                    self.out.truncate(start);
                    self.long(index);
                    self.value(json, at.inner(variant), depth + 1)
                })
            }
            Kind::Record(record) => {
                let members = json.as_object()?;
                // A member that a record does not have may be meant for another branch of a union.
                let is_field =
                    |name: &String| record.fields.iter().any(|field| field.name == *name);
                if !members.keys().all(is_field) {
                    return None;
                }
                for field in &record.fields {
                    let value = members.get(&field.name).or(field.default.as_ref())?;
                    self.value(value, at.field(record, field), depth + 1)?;
                }
                Some(())
            }
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        write_bytes(&mut self.out, bytes);
        Some(())
    }

    fn block(&mut self, items: usize) -> Option<()> {
        if items > 0 {
            self.long(items.try_into().ok()?);
        }
        Some(())
    }

    fn long(&mut self, number: i64) {
        write_long(&mut self.out, number);
    }
}

/// Writes bytes or a string.
pub(super) fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_long(out, bytes.len() as i64);
    out.extend(bytes);
}

/// Writes a zigzag varint.
fn write_long(out: &mut Vec<u8>, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest > 0x7f {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Returns the bytes that the code points of a string stand for.
fn latin1(json: &Json) -> Option<Vec<u8>> {
    json.as_str()?.chars().map(|char| u8::try_from(char).ok()).collect()
}
