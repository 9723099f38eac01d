//! Records that the Kinesis Producer Library (KPL) aggregated, as `aggregation-format.md` in its
//! repository defines them.
//!
//! An aggregate is the [`MAGIC`] bytes, a message in the wire format of Protocol Buffers, and the MD5
//! of that message:
//!
//! ```text
//! message AggregatedRecord {
//!   repeated string partition_key_table     = 1;
//!   repeated string explicit_hash_key_table = 2;
//!   repeated Record records                 = 3;
//! }
//! message Record {
//!   required uint64 partition_key_index     = 1;
//!   optional uint64 explicit_hash_key_index = 2;
//!   required bytes  data                    = 3;
//! }
//! ```

use std::ops::Range;
use std::str;

use md5::{Digest, Md5};

/// The bytes that an aggregate starts with.
const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];

/// How all data that starts so starts in base64: the first 30 of the 32 bits.
pub(super) const MAGIC_IN_BASE64: &str = "84maw";

/// The length of an MD5 in bytes.
const CHECKSUM: usize = 16;

/// Why an aggregate cannot be taken apart.
pub(super) type Problem = &'static str;

const TRUNCATED: Problem = "its message is truncated";

/// An aggregate with what it consists of. Records are places in its data, since a large one has
/// more than 100,000 of them.
#[derive(Debug)]
pub(super) struct Aggregate {
    data: Vec<u8>,
    partition_keys: Vec<Box<str>>,
    explicit_hash_keys: Vec<Box<str>>,
    records: Vec<Place>,
}

/// A record of an aggregate. Its partition key and explicit hash key are places in their tables.
#[derive(Debug)]
struct Place {
    partition_key: u32,
    explicit_hash_key: Option<u32>,
    data: Range<u32>,
}

/// Returns true if data starts as an aggregate does.
pub(super) fn is_aggregate(data: &[u8]) -> bool {
    data.starts_with(&MAGIC)
}

impl Aggregate {
    /// Takes data apart that [is an aggregate](is_aggregate).
    pub(super) fn parse(data: Vec<u8>) -> Result<Self, Problem> {
        let mut aggregate = Self {
            data: Vec::new(),
            partition_keys: Vec::new(),
            explicit_hash_keys: Vec::new(),
            records: Vec::new(),
        };
        let end = data.len().checked_sub(CHECKSUM).filter(|end| *end >= MAGIC.len());
        let end = end.ok_or("it has no checksum")?;
        let message = &data[MAGIC.len()..end];
        if Md5::digest(message)[..] != data[end..] {
            return Err("its checksum is not that of its message");
        }
        let mut reader = Reader { data: &data[..end], at: MAGIC.len() };
        while let Some(field) = reader.field()? {
            match field {
                (1, Value::Bytes(key)) => aggregate.partition_keys.push(text(&data[key])?),
                (2, Value::Bytes(key)) => aggregate.explicit_hash_keys.push(text(&data[key])?),
                (3, Value::Bytes(record)) => aggregate.records.push(place(&data, record)?),
                (1..=3, _) => return Err("a field of its message has another type"),
                _ => {}
            }
        }
        // A table may follow the records.
        for record in &aggregate.records {
            let has = |table: &[_], index: u32| table.get(index as usize).is_some();
            let hash_key = record.explicit_hash_key;
            if !has(&aggregate.partition_keys, record.partition_key)
                || hash_key.is_some_and(|index| !has(&aggregate.explicit_hash_keys, index))
            {
                return Err("one of its records names a key that is not in the table");
            }
        }
        aggregate.data = data;
        Ok(aggregate)
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn partition_key(&self, index: usize) -> Option<&str> {
        let key = self.records.get(index)?.partition_key;
        Some(self.partition_keys.get(key as usize)?)
    }

    pub(super) fn explicit_hash_key(&self, index: usize) -> Option<&str> {
        let key = self.records.get(index)?.explicit_hash_key?;
        Some(self.explicit_hash_keys.get(key as usize)?)
    }

    pub(super) fn data(&self, index: usize) -> Option<&[u8]> {
        let Range { start, end } = self.records.get(index)?.data;
        self.data.get(start as usize..end as usize)
    }
}

/// Reads a record at its place in the data.
fn place(data: &[u8], record: Range<usize>) -> Result<Place, Problem> {
    let [mut partition_key, mut explicit_hash_key] = [None; 2];
    let mut content = None;
    let mut reader = Reader { data: &data[..record.end], at: record.start };
    while let Some(field) = reader.field()? {
        // Of a field that is there twice, the last one counts.
        match field {
            (1, Value::Number(index)) => partition_key = Some(position(index)?),
            (2, Value::Number(index)) => explicit_hash_key = Some(position(index)?),
            (3, Value::Bytes(bytes)) => {
                content = Some(position(bytes.start)?..position(bytes.end)?)
            }
            (1..=3, _) => return Err("a field of one of its records has another type"),
            _ => {}
        }
    }
    match (partition_key, content) {
        (Some(partition_key), Some(data)) => Ok(Place { partition_key, explicit_hash_key, data }),
        _ => Err("one of its records has no partition key or no data"),
    }
}

fn position<N: TryInto<u32>>(number: N) -> Result<u32, Problem> {
    number.try_into().map_err(|_| "a number in it is too large")
}

fn text(bytes: &[u8]) -> Result<Box<str>, Problem> {
    Ok(str::from_utf8(bytes).map_err(|_| "a key in it is invalid UTF-8")?.into())
}

/// Reads the wire format of Protocol Buffers.
struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

/// The value of a field.
enum Value {
    Number(u64),
    /// Where the bytes of a string or a nested message are.
    Bytes(Range<usize>),
    /// A number of fixed size, which no field here is.
    Fixed,
}

impl Reader<'_> {
    /// Returns the number and the value of the next field, or `None` at the end.
    fn field(&mut self) -> Result<Option<(u64, Value)>, Problem> {
        if self.at == self.data.len() {
            return Ok(None);
        }
        let tag = self.number()?;
        let value = match tag & 7 {
            0 => Value::Number(self.number()?),
            1 => self.skip(8).map(|_| Value::Fixed)?,
            2 => {
                let length = self.number()?;
                Value::Bytes(self.skip(usize::try_from(length).map_err(|_| TRUNCATED)?)?)
            }
            5 => self.skip(4).map(|_| Value::Fixed)?,
            _ => return Err("a field of its message has an unknown type"),
        };
        Ok(Some((tag >> 3, value)))
    }

    /// Reads a number of 7 bits a byte, the lowest first.
    fn number(&mut self) -> Result<u64, Problem> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.data.get(self.at).ok_or(TRUNCATED)?;
            self.at += 1;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err("a number in it is too large")
    }

    fn skip(&mut self, length: usize) -> Result<Range<usize>, Problem> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.data.len());
        let skipped = self.at..end.ok_or(TRUNCATED)?;
        self.at = skipped.end;
        Ok(skipped)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An aggregate of this message, with the right checksum.
    fn aggregate(message: &[u8]) -> Vec<u8> {
        [&MAGIC[..], message, &Md5::digest(message)[..]].concat()
    }

    fn problem(message: &[u8]) -> Problem {
        Aggregate::parse(aggregate(message)).map(drop).unwrap_err()
    }

    #[test]
    fn each_defect_of_a_message_is_named() {
        for (message, expected) in [
            (&b"\x0a\x01"[..], "truncated"),
            (b"\x0a\x01a\x1a\x04\x08\x00\x1a", "truncated"),
            (b"\x0a\x01a\x1a\x04\x08\x00\x1a\x01", "truncated"),
            (b"\x0a\x01\xff", "UTF-8"),
            (b"\x0a\x01a\x1a\x02\x08\x00", "no partition key or no data"),
            (b"\x0a\x01a\x1a\x02\x1a\x00", "no partition key or no data"),
            (b"\x0a\x01a\x1a\x04\x08\x01\x1a\x00", "not in the table"),
            (b"\x0a\x01a\x1a\x06\x08\x00\x10\x00\x1a\x00", "not in the table"),
            (b"\x08\x00", "another type"),
            (b"\x0a\x01a\x1a\x04\x0a\x00\x1a\x00", "another type"),
            (b"\x0b", "unknown type"),
            (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "too large"),
            (b"\x0a\x01a\x1a\x08\x08\xff\xff\xff\xff\x1f\x1a\x00", "too large"),
        ] {
            let problem = problem(message);
            assert!(problem.contains(expected), "{message:?}: {problem}");
        }
    }

    #[test]
    fn unknown_fields_and_tags_are_skipped_and_a_table_may_follow() {
        let record = b"\x1a\x08\x08\x00\x1a\x01x\x22\x01t";
        let message =
            [&record[..], b"\x0a\x01a", b"\x21........", b"\x25....", b"\x28\x07"].concat();
        let read = Aggregate::parse(aggregate(&message)).unwrap();
        assert_eq!((read.len(), read.partition_key(0)), (1, Some("a")));
        assert_eq!(read.data(0), Some(&b"x"[..]));
    }

    proptest! {
        #[test]
        fn no_message_panics(message in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = Aggregate::parse(aggregate(&message));
        }

        /// Behind a tag that fits, more of the reader is reached.
        #[test]
        fn no_record_panics(record in prop::collection::vec(prop_oneof![0u8..32, any::<u8>()], 0..40)) {
            let length = u8::try_from(record.len()).unwrap();
            let _ = Aggregate::parse(aggregate(&[&[0x0a, 1, b'a', 0x1a, length], &record[..]].concat()));
        }
    }
}
