use std::any::TypeId;
use std::num::NonZeroU64;
use std::{fmt, iter};

use memchr::memchr2;
use serde::de::value::MapDeserializer;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::events::{DynamoDbEvent, KafkaEvent, KinesisEvent, SqsEvent};
use crate::json::scan::unit;
use crate::json::{MAX_DEPTH, RAW_VALUE};

type Result<T, E = Declined> = std::result::Result<T, E>;

/// Reads an event. Batches are read by [`Reader`] unless it declines; everything else is read by `serde_json`,
/// and so are all errors.
pub(crate) fn from_slice<T: for<'de> Deserialize<'de> + 'static>(
    document: &[u8],
) -> Result<T, serde_json::Error> {
    // No type of a user: one can panic at an error that no document has, or take it for a value.
    let batches = [
        TypeId::of::<SqsEvent>(),
        TypeId::of::<KinesisEvent>(),
        TypeId::of::<DynamoDbEvent>(),
        TypeId::of::<KafkaEvent>(),
    ];
    if batches.contains(&TypeId::of::<T>())
        && let Ok(batch) = read(document)
    {
        return Ok(batch);
    }
    serde_json::from_slice(document)
}

fn read<'de, T: Deserialize<'de>>(document: &'de [u8]) -> Result<T> {
    let mut reader = Reader::new(document)?;
    let value = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// The document is to be read by `serde_json`, which finds what is wrong with it, if anything.
#[derive(Debug)]
struct Declined;

impl de::Error for Declined {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl std::error::Error for Declined {}

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is read in another way")
    }
}

/// Reads the JSON of an event faster than `serde_json`, and declines what events do not have: white space
/// other than blanks, halves of surrogate pairs, numbers of more than 18 digits.
///
/// What it reads is what `serde_json` reads, and what `serde_json` rejects it declines.
struct Reader<'de> {
    text: &'de str,
    at: usize,
    /// How many lists and objects are open.
    depth: usize,
    /// Room for strings with escapes, and for a block behind their ends.
    unescaped: Vec<u8>,
}

/// A string: a part of the document or, if it has escapes, so many unescaped bytes.
enum Text<'de> {
    Plain(&'de str),
    Unescaped(usize),
}

impl<'de> Reader<'de> {
    fn new(document: &'de [u8]) -> Result<Self> {
        // Both are checked for the whole document, since each string would take longer alone. Without an
        // early end, since that is compiled to instructions for many bytes at once.
        let has_control = document.iter().fold(false, |found, &byte| found | (byte < b' '));
        match str::from_utf8(document) {
            Ok(text) if !has_control => Ok(Self { text, at: 0, depth: 0, unescaped: Vec::new() }),
            _ => Err(Declined),
        }
    }

    /// Checks that nothing follows.
    fn end(&mut self) -> Result<()> {
        if self.peek().is_some() { Err(Declined) } else { Ok(()) }
    }

    fn bytes(&self) -> &'de [u8] {
        self.text.as_bytes()
    }

    /// Returns the next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes().get(self.at) {
                Some(b' ') => self.at += 1,
                byte => return byte.copied(),
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek() != Some(byte) {
            return Err(Declined);
        }
        self.at += 1;
        Ok(())
    }

    fn open(&mut self) -> Result<usize> {
        if self.depth == MAX_DEPTH - 1 {
            return Err(Declined);
        }
        self.at += 1;
        self.depth += 1;
        Ok(self.depth - 1)
    }

    /// Returns true before another item of the list or object that `end` closes, and moves behind the end
    /// if there is none.
    fn has_next(&mut self, end: u8, is_first: bool) -> Result<bool> {
        match self.peek() {
            Some(byte) if byte == end => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            Some(b',') if !is_first => {
                self.at += 1;
                // An end after a comma is no item, and declined.
                Ok(true)
            }
            Some(_) if is_first => Ok(true),
            _ => Err(Declined),
        }
    }

    /// Reads the string that begins here.
    fn string(&mut self) -> Result<Text<'de>> {
        let start = self.at + 1;
        let end = plain_end(self.bytes(), start).ok_or(Declined)?;
        if self.bytes()[end] == b'"' {
            self.at = end + 1;
            return Ok(Text::Plain(&self.text[start..end]));
        }
        self.unescape(start).map(Text::Unescaped)
    }

    /// Reads a string with escapes, whose content begins at `at`. Returns how many bytes it has in
    /// `unescaped`.
    // Not inlined, because most strings are names and have no escapes.
    #[inline(never)]
    fn unescape(&mut self, mut at: usize) -> Result<usize> {
        const QUOTE: u16 = u16::from_le_bytes(*b"\\\"");

        let bytes = self.bytes();
        let mut end = 0;
        loop {
            // Room for a block, and for the character of an escape behind it.
            if self.unescaped.len() < end + 16 {
                self.unescaped.resize((2 * end).max(512), 0);
            }
            // The rest of both sides instead of positions: otherwise each block checks them.
            let mut from = bytes.get(at..).ok_or(Declined)?;
            let mut into = &mut self.unescaped[end..];
            while let (Some(block), Some(room)) =
                (from.first_chunk::<8>(), into.first_chunk_mut::<16>())
            {
                // Copying a block is faster than copying its plain bytes alone: the rest is overwritten.
                room[..8].copy_from_slice(block);
                let block = u64::from_le_bytes(*block);
                let Some(first) = NonZeroU64::new(ends_in(block)) else {
                    (from, into) = (&from[8..], &mut into[8..]);
                    continue;
                };
                let plain = first.trailing_zeros() as usize / 8;
                if (block >> (8 * plain)) as u16 == QUOTE {
                    // The usual escape, without another look at the bytes.
                    room[plain] = b'"';
                    (from, into) = (&from[plain + 2..], &mut into[plain + 1..]);
                } else {
                    (from, into) = (&from[plain..], &mut into[plain..]);
                    break;
                }
            }
            at = bytes.len() - from.len();
            let room = into.len();
            end = self.unescaped.len() - room;
            self.unescaped[end] = match *bytes.get(at).ok_or(Declined)? {
                b'"' => {
                    self.at = at + 1;
                    return Ok(end);
                }
                b'\\' => {
                    at += 1;
                    match *bytes.get(at).ok_or(Declined)? {
                        byte @ (b'"' | b'\\' | b'/') => byte,
                        b'b' => 0x8,
                        b'f' => 0xC,
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'u' => {
                            let unit = unit(&bytes[at - 1..]).ok_or(Declined)?;
                            let char = char::from_u32(unit.into()).ok_or(Declined)?;
                            end += char.encode_utf8(&mut self.unescaped[end..]).len();
                            at += 5;
                            continue;
                        }
                        _ => return Err(Declined),
                    }
                }
                byte => byte,
            };
            at += 1;
            end += 1;
        }
    }

    /// Moves behind the value that begins here.
    fn skip(&mut self) -> Result<()> {
        match self.peek().ok_or(Declined)? {
            b'"' => self.skip_string(),
            b'{' => {
                self.open()?;
                let mut is_first = true;
                while self.has_next(b'}', is_first)? {
                    is_first = false;
                    if self.peek() != Some(b'"') {
                        return Err(Declined);
                    }
                    self.skip_string()?;
                    self.expect(b':')?;
                    self.skip()?;
                }
                Ok(())
            }
            b'[' => {
                self.open()?;
                let mut is_first = true;
                while self.has_next(b']', is_first)? {
                    is_first = false;
                    self.skip()?;
                }
                Ok(())
            }
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => {
                let number = self.number();
                // What is a number is left to `serde_json`, except for the usual ones.
                if !is_integer(number) {
                    serde_json::from_str::<f64>(number).map_err(|_| Declined)?;
                }
                Ok(())
            }
        }
    }

    fn skip_string(&mut self) -> Result<()> {
        let bytes = self.bytes();
        let mut at = self.at + 1;
        loop {
            at = plain_end(bytes, at).ok_or(Declined)?;
            if bytes[at] == b'"' {
                self.at = at + 1;
                return Ok(());
            }
            at += match bytes.get(at + 1) {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
                Some(b'u') if unit(&bytes[at..]).is_some() => 6,
                _ => return Err(Declined),
            };
        }
    }

    /// Moves behind what may be a number, and returns it.
    fn number(&mut self) -> &'de str {
        let rest = &self.text[self.at..];
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.bytes().take_while(is_part).count();
        self.at += length;
        &rest[..length]
    }

    fn word(&mut self, word: &str) -> Result<()> {
        if !self.text[self.at..].starts_with(word) {
            return Err(Declined);
        }
        self.at += word.len();
        Ok(())
    }
}

/// Returns true for a positive number that fits into 63 bits.
fn is_integer(number: &str) -> bool {
    (1..=18).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && (number.len() == 1 || !number.starts_with('0'))
}

/// Returns the position of the first quote or backslash from `at` on.
fn plain_end(bytes: &[u8], at: usize) -> Option<usize> {
    Some(at + memchr2(b'"', b'\\', bytes.get(at..)?)?)
}

/// Returns the high bit of the first of these eight bytes, of which the lowest is the first, that is a quote or a
/// backslash, or zero if none is. Above it, further bits may be set.
fn ends_in(block: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

    // The high bit of each byte that is zero; above the first one, others may be set, too.
    let zeros = |block: u64| block.wrapping_sub(ONES) & !block;
    let quotes = zeros(block ^ (ONES * u64::from(b'"')));
    let backslashes = zeros(block ^ (ONES * u64::from(b'\\')));
    (quotes | backslashes) & HIGH
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Declined;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.peek().ok_or(Declined)? {
            b'"' => match self.string()? {
                Text::Plain(text) => visitor.visit_borrowed_str(text),
                Text::Unescaped(end) => {
                    let text = str::from_utf8(&self.unescaped[..end]);
                    visitor.visit_str(text.map_err(|_| Declined)?)
                }
            },
            b'{' => {
                let depth = self.open()?;
                let value = visitor.visit_map(Items { reader: self, is_first: true })?;
                if self.depth == depth { Ok(value) } else { Err(Declined) }
            }
            b'[' => {
                let depth = self.open()?;
                let value = visitor.visit_seq(Items { reader: self, is_first: true })?;
                if self.depth == depth { Ok(value) } else { Err(Declined) }
            }
            b't' => {
                self.word("true")?;
                visitor.visit_bool(true)
            }
            b'f' => {
                self.word("false")?;
                visitor.visit_bool(false)
            }
            b'n' => {
                self.word("null")?;
                visitor.visit_unit()
            }
            _ => {
                let number = self.number();
                if is_integer(number) {
                    visitor.visit_u64(number.parse().map_err(|_| Declined)?)
                } else if number.contains(['.', 'e', 'E']) {
                    visitor.visit_f64(serde_json::from_str(number).map_err(|_| Declined)?)
                } else {
                    Err(Declined)
                }
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.peek() == Some(b'n') {
            self.word("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        if name != RAW_VALUE {
            return visitor.visit_newtype_struct(self);
        }
        self.peek();
        let start = self.at;
        self.skip()?;
        let raw = &self.text[start..self.at];
        visitor.visit_map(MapDeserializer::new(iter::once((RAW_VALUE, raw))))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct enum identifier
    }
}

/// The items of a list or an object.
struct Items<'a, 'de> {
    reader: &'a mut Reader<'de>,
    is_first: bool,
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = Declined;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if !self.reader.has_next(b'}', self.is_first)? {
            return Ok(None);
        }
        self.is_first = false;
        if self.reader.peek() != Some(b'"') {
            return Err(Declined);
        }
        seed.deserialize(Name(self.reader)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        self.reader.expect(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

/// The name of a member: `serde_json` reads the text also of one that is ignored.
struct Name<'a, 'de>(&'a mut Reader<'de>);

impl<'de> Deserializer<'de> for Name<'_, 'de> {
    type Error = Declined;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Declined;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if !self.reader.has_next(b']', self.is_first)? {
            return Ok(None);
        }
        self.is_first = false;
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::*;

    const SQS: &str = r#"{"Records":[{"messageId":"m-1","receiptHandle":"AQEBwJnKyrHigUMZj6reyNurSvK+AQEBwJnKyrHigUMZj6reyNurSvK","body":"{\"a\":\"\\\\ \/\b\f\n\r\t\u00e9\u2028\",\"long\":\"0123456789abcdef\"} é","attributes":{"ApproximateReceiveCount":"1","a":[1,-2.5,true,null,{}]},"messageAttributes":{ "x": {"stringValue":"\ud83d"}},"md5OfBody":null,"eventSource":"aws:sqs","eventSourceARN":"arn:q","awsRegion":"us-east-1","n":[]},{"messageId":7,"eventSource":"other","attributes":{}}, null]}"#;
    const KINESIS: &str = r#"{"Records":[{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"1","sequenceNumber":"49590338271490256608559692538361571095921575989136588898","data":"SGVsbG8=","approximateArrivalTimestamp":1545084650.987},"eventID":"shardId-000000000006:49","eventSource":"aws:kinesis","eventSourceARN":"arn:s"}],"window":{"start":"a"}}"#;
    const DYNAMODB: &str = r#"[{"eventID":"1","eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1428537600,"Keys":{"Id":{"N":"101"}},"NewImage":{"Message":{"S":"New \"item\"!"}},"SequenceNumber":"4421584500000000017450439091","SizeBytes":26},"eventSource":"aws:dynamodb","userIdentity":{"principalId":"p"}}]"#;
    const KAFKA: &str = r#"{"eventSource":"aws:kafka","records":{"t-0":[{"topic":"t","partition":0,"offset":15,"timestamp":1545084650987,"timestampType":"CREATE_TIME","key":"a2V5","value":"eyJhIjoxfQ==","headers":[{"h":[104,-1]}]},{"topic":"t","partition":0,"offset":16,"value":null}]}}"#;

    /// What is read of a document, or why it cannot be.
    fn both<T: for<'de> Deserialize<'de> + Debug + 'static>(document: &[u8]) -> [String; 2] {
        let text = |result: Result<T, serde_json::Error>| match result {
            Ok(event) => format!("{event:?}"),
            Err(error) => error.to_string(),
        };
        [text(from_slice(document)), text(serde_json::from_slice(document))]
    }

    fn all(index: usize, document: &[u8]) -> [String; 2] {
        let read =
            [both::<SqsEvent>, both::<KinesisEvent>, both::<DynamoDbEvent>, both::<KafkaEvent>];
        read[index](document)
    }

    /// Never fails on JSON, and panics where it could not be read.
    struct Sure;

    impl<'de> Deserialize<'de> for Sure {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            serde_json::Value::deserialize(deserializer)
                .map(|_| Self)
                .map_err(|_| panic!("no JSON"))
        }
    }

    #[test]
    fn types_of_users_are_read_by_serde_json_alone() {
        assert!(from_slice::<Sure>(b"{}").is_ok());
        let error = from_slice::<u8>(b"7 8").unwrap_err();
        assert_eq!(error.to_string(), "trailing characters at line 1 column 3");
    }

    #[test]
    fn usual_events_are_not_declined() {
        assert!(read::<SqsEvent>(SQS.as_bytes()).is_ok());
        assert!(read::<KinesisEvent>(KINESIS.as_bytes()).is_ok());
        assert!(read::<DynamoDbEvent>(DYNAMODB.as_bytes()).is_ok());
        assert!(read::<KafkaEvent>(KAFKA.as_bytes()).is_ok());
        for (index, document) in [SQS, KINESIS, DYNAMODB, KAFKA].into_iter().enumerate() {
            let [ours, serde] = all(index, document.as_bytes());
            assert_eq!(ours, serde);
        }
    }

    #[test]
    fn an_escape_has_room_behind_a_text_of_any_length() {
        for length in 0..1_100 {
            for escape in ["\\u0041", "\\u00e9", "\\u20ac", "\\n", "\\\""] {
                let text = "a".repeat(length);
                let document =
                    format!(r#"{{"Records":[{{"messageId":"m","body":"{text}{escape} b"}}]}}"#);
                assert!(read::<SqsEvent>(document.as_bytes()).is_ok());
                let [ours, serde] = both::<SqsEvent>(document.as_bytes());
                assert_eq!(ours, serde);
            }
        }
    }

    #[test]
    fn names_that_are_no_text_are_errors_where_they_are_ignored_too() {
        let [ours, serde] =
            both::<SqsEvent>(br#"{"Records":[{"messageId":"m","body":{"\ud800":1}}]}"#);
        assert_eq!(ours, serde);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn what_is_read_is_what_serde_json_reads(
            source in 0..4_usize,
            edits in prop::collection::vec(
                (any::<Index>(), 0..4_usize, select(PIECES), any::<bool>(), select(PADDING)),
                1..4,
            ),
        ) {
            let mut document = [SQS, KINESIS, DYNAMODB, KAFKA][source].as_bytes().to_vec();
            for (at, removed, piece, is_at_sign, padding) in edits {
                let mut at = at.index(document.len());
                if is_at_sign {
                    // Where the structure is, rather than in the middle of a text.
                    let is_sign = |byte: &u8| b"{}[]\",:\\".contains(byte);
                    at += document[at..].iter().position(is_sign).unwrap_or(0);
                }
                let end = (at + removed).min(document.len());
                let padding = std::iter::repeat_n(b'a', padding);
                document.splice(at..end, padding.chain(piece.iter().copied()));
            }
            let [ours, serde] = all(source, &document);
            prop_assert_eq!(ours, serde, "{}", String::from_utf8_lossy(&document));
        }
    }

    /// How many letters are inserted before a piece: enough for what has to grow.
    const PADDING: &[usize] = &[0, 0, 0, 0, 7, 490, 500, 510, 511, 1020, 1023];

    /// What is inserted into documents.
    const PIECES: &[&[u8]] = &[
        b"",
        b"\"",
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"\n",
        b"\0",
        b"\xff",
        b"0",
        b"-0",
        b"01",
        b"1.5e3",
        b"1e999",
        b"-7",
        b"12345678901234567890",
        b"null",
        b"true",
        b"false",
        b"nul",
        b"\"\"",
        b"\\u0041",
        b"\\ud800",
        b"\\ud83d\\ude00",
        b"\\u12",
        b"\\x",
        b"\"body\":\"x\",",
        b"\"Records\":[],",
        b"{\"a\":1}",
        b"[[[]]]",
        b",{}",
        b",null",
    ];
}
