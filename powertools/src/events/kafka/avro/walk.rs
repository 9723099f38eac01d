//! Reads a datum along a plan, after it was checked.
//!
//! The check comes first, since a few bytes can claim any length, nest values deeply, or stand for many
//! values that take memory and no bytes.

use super::plan::{DEPTH, Form, Id, Node, Number, Plan};
use super::value::Value;

/// How many values without bytes, such as nulls, there may be for each byte of the data, and beside
/// that.
const PER_BYTE: usize = 16;
const BESIDE: usize = 1_024;

/// What a value of a default counts for in bytes, beside its own.
const PER_DEFAULT: usize = 32;

type Result<T> = std::result::Result<T, String>;

/// What data becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// The number of the values.
    pub(super) count: usize,
    /// What the reader's defaults add to the data, in bytes.
    pub(super) defaults: usize,
}

/// Returns the size of a datum, all of whose bytes are used. Defaults may add `most` bytes.
pub(super) fn size(plan: &Plan, datum: &[u8], most: usize) -> Result<Size> {
    let values = datum.len().saturating_mul(PER_BYTE) + BESIDE;
    let mut check = Check { values, most, ..Check::unlimited(plan) };
    let mut data = Data { rest: datum };
    check.value(plan.root, &mut data, 0)?;
    if data.rest.is_empty() { Ok(check.size) } else { Err("bytes follow that are not read".into()) }
}

/// Returns the number of the values that a default has, which the reader's schema wrote.
pub(super) fn count(plan: &Plan, id: Id, datum: &[u8]) -> Result<usize> {
    let mut check = Check::unlimited(plan);
    check.value(id, &mut Data { rest: datum }, 0)?;
    Ok(check.own)
}

/// Reads a datum that was checked.
pub(super) fn read<'a>(plan: &'a Plan, datum: &'a [u8]) -> Result<Value<'a>> {
    value(plan, plan.root, &mut Data { rest: datum })
}

struct Check<'a> {
    plan: &'a Plan,
    /// How many values there may be without those of defaults.
    values: usize,
    most: usize,
    size: Size,
    /// The number of the values without those of defaults.
    own: usize,
}

impl<'a> Check<'a> {
    fn unlimited(plan: &'a Plan) -> Self {
        Self { plan, values: usize::MAX, most: usize::MAX, size: Size::default(), own: 0 }
    }

    fn value(&mut self, id: Id, data: &mut Data<'_>, depth: usize) -> Result<()> {
        if depth > DEPTH {
            return Err("its values are nested too deeply".into());
        }
        // It is no value of the data.
        if let Node::Branch(_, node) = &self.plan.nodes[id] {
            return self.value(*node, data, depth);
        }
        self.own += 1;
        self.size.count += 1;
        if self.own > self.values {
            return Err("it has more values than its size allows".into());
        }
        match &self.plan.nodes[id] {
            Node::Null | Node::Branch(..) => Ok(()),
            Node::Boolean => data.take(1).map(drop),
            Node::Number { writer: Number::Int | Number::Long, .. } | Node::Enum(_) => {
                data.long().map(drop)
            }
            Node::Number { writer: Number::Float, .. } => data.take(4).map(drop),
            Node::Number { writer: Number::Double, .. } => data.take(8).map(drop),
            Node::Bytes(_) => data.bytes().map(drop),
            Node::Fixed(size, _) => data.take(*size).map(drop),
            Node::Array(item) => data.blocks(|data| self.value(*item, data, depth + 1)),
            Node::Map(item) => data.blocks(|data| {
                data.bytes()?;
                self.value(*item, data, depth + 1)
            }),
            Node::Union(branches) => self.value(data.branch(branches)?, data, depth + 1),
            Node::Record(record) => {
                for step in &record.steps {
                    self.value(step.node, data, depth + 1)?;
                }
                for default in &record.defaults {
                    self.size.count += default.count;
                    self.size.defaults += default.data.len() + PER_DEFAULT * default.count;
                }
                if self.size.defaults > self.most {
                    return Err(
                        "the defaults of its fields are larger than one record may be".into()
                    );
                }
                Ok(())
            }
            Node::Mismatch(reason) => Err(reason.clone()),
        }
    }
}

fn value<'a>(plan: &'a Plan, id: Id, data: &mut Data<'a>) -> Result<Value<'a>> {
    Ok(match &plan.nodes[id] {
        Node::Null => Value::Null,
        Node::Boolean => match data.take(1)? {
            [0] => Value::Boolean(false),
            [1] => Value::Boolean(true),
            _ => return Err("a boolean is neither 0 nor 1".into()),
        },
        Node::Number { writer, reader } => number(*writer, *reader, data)?,
        Node::Bytes(form) => blob(*form, data.bytes()?)?,
        Node::Fixed(size, form) => blob(*form, data.take(*size)?)?,
        Node::Enum(symbols) => {
            let symbol = usize::try_from(data.long()?).ok().and_then(|index| symbols.get(index));
            match symbol.ok_or("it has a symbol that its enum does not have")? {
                Some(symbol) => Value::Enum(symbol),
                None => return Err("the reader's enum lacks the symbol, and has no default".into()),
            }
        }
        Node::Array(item) => {
            let mut items = Vec::new();
            data.blocks(|data| {
                items.push(value(plan, *item, data)?);
                Ok(())
            })?;
            Value::Array(items)
        }
        Node::Map(item) => {
            let mut entries = Vec::new();
            data.blocks(|data| {
                let key = text(data.bytes()?)?;
                entries.push((key, value(plan, *item, data)?));
                Ok(())
            })?;
            Value::Map(entries)
        }
        Node::Union(branches) => {
            let branch = data.branch(branches)?;
            value(plan, branch, data)?
        }
        Node::Branch(branch, node) => Value::Union(branch, Box::new(value(plan, *node, data)?)),
        Node::Record(record) => {
            let mut fields: Vec<_> = record.names.iter().map(|_| Value::Null).collect();
            for step in &record.steps {
                match step.field {
                    Some(field) => fields[field] = value(plan, step.node, data)?,
                    None => skip(plan, step.node, data)?,
                }
            }
            for default in &record.defaults {
                fields[default.field] =
                    value(plan, default.node, &mut Data { rest: &default.data })?;
            }
            Value::Record(record, fields)
        }
        Node::Mismatch(reason) => return Err(reason.clone()),
    })
}

/// Reads what the reader does not need.
fn skip(plan: &Plan, id: Id, data: &mut Data<'_>) -> Result<()> {
    Check::unlimited(plan).value(id, data, 0)
}

fn number(writer: Number, reader: Number, data: &mut Data<'_>) -> Result<Value<'static>> {
    let long = match writer {
        Number::Int => i64::from(i32::try_from(data.long()?).map_err(|_| "an int is too large")?),
        Number::Long => data.long()?,
        Number::Float => {
            let float = f32::from_le_bytes(data.array()?);
            return Ok(match reader {
                Number::Double => Value::Double(float.into()),
                _ => Value::Float(float),
            });
        }
        Number::Double => return Ok(Value::Double(f64::from_le_bytes(data.array()?))),
    };
    Ok(match reader {
        Number::Int => Value::Int(i32::try_from(long).map_err(|_| "an int is too large")?),
        Number::Long => Value::Long(long),
        Number::Float => Value::Float(long as f32),
        Number::Double => Value::Double(long as f64),
    })
}

fn blob(form: Form, bytes: &[u8]) -> Result<Value<'_>> {
    Ok(match form {
        Form::Bytes => Value::Bytes(bytes),
        Form::String => Value::String(text(bytes)?),
        Form::Decimal => Value::Decimal(bytes),
        Form::BigDecimal => Value::BigDecimal(bytes),
        Form::UuidText => {
            let uuid = apache_avro::Uuid::try_parse(text(bytes)?);
            Value::Uuid(uuid.map_err(|_| "a UUID is invalid")?)
        }
        Form::UuidBytes => {
            let uuid = apache_avro::Uuid::from_slice(bytes);
            Value::Uuid(uuid.map_err(|_| "a UUID has not 16 bytes")?)
        }
    })
}

/// Returns the unscaled number and the scale of a `big-decimal`.
pub(super) fn big_decimal(bytes: &[u8]) -> Result<(&[u8], i64)> {
    let mut data = Data { rest: bytes };
    let unscaled = data.bytes()?;
    let scale = data.long()?;
    if data.rest.is_empty() { Ok((unscaled, scale)) } else { Err("bytes follow".into()) }
}

fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| "a string is not valid UTF-8".into())
}

/// The data that is not read yet.
struct Data<'a> {
    rest: &'a [u8],
}

impl<'a> Data<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or("it is cut off")?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or("it is cut off")?;
        self.rest = rest;
        Ok(*taken)
    }

    fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.long()?;
        self.take(usize::try_from(length).map_err(|_| "a length is negative")?)
    }

    fn branch(&mut self, branches: &[Id]) -> Result<Id> {
        let index = usize::try_from(self.long()?).ok();
        let branch = index.and_then(|index| branches.get(index));
        Ok(*branch.ok_or("it has a branch that its union does not have")?)
    }

    /// Reads blocks of items, each with its number of items, until an empty one.
    fn blocks(&mut self, mut item: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
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

    /// Reads a zigzag varint.
    fn long(&mut self) -> Result<i64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or("it is cut off")?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((number >> 1) as i64 ^ -((number & 1) as i64));
            }
        }
        Err("a number has too many bytes".into())
    }
}
