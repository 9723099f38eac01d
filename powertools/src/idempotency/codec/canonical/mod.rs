//! Canonical JSON: what native keys are hashes of.
//!
//! Compact, members sorted as in RFC 8785, integers by their exact digits, floats as RFC 8785. It
//! is written in one go: members in the order in which they come, put in order afterwards if they
//! were not.

mod compound;
mod members;
mod serializer;

use serde::Serialize;

use self::members::{Member, Members};
use super::super::Json;
use super::CodecError;
use crate::json::{MAX_DEPTH, Number};

/// The canonical JSON of `[name, tenant, key]`; `None` if the key is absent.
pub(super) fn key<K: Serialize + ?Sized>(
    name: &str,
    tenant: Option<&str>,
    key: &K,
) -> Result<Option<Vec<u8>>, CodecError> {
    let mut text = Canonical::default();
    text.out.push(b'[');
    text.string(name);
    text.out.push(b',');
    match tenant {
        Some(tenant) => _ = text.string(tenant),
        None => text.word("null"),
    }
    text.out.push(b',');

    let start = text.out.len();
    key.serialize(&mut text)?;
    if is_absent(&text.out[start..]) {
        return Ok(None);
    }
    text.out.push(b']');
    Ok(Some(text.out))
}

/// The bytes that JSON escapes, and those of characters from U+E000 on.
const ODD: [bool; 256] = {
    let mut odd = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        odd[byte] = byte < 0x20 || byte == b'"' as usize || byte == b'\\' as usize || byte >= 0xEE;
        byte += 1;
    }
    odd
};

/// Canonical JSON in the making.
pub(super) struct Canonical {
    out: Vec<u8>,
    /// The members of all objects that are open, the innermost last.
    members: Vec<Member>,
    depth: usize,
}

impl Default for Canonical {
    fn default() -> Self {
        // Room for what is usual: growing takes as long as writing.
        Self { out: Vec::with_capacity(512), members: Vec::with_capacity(16), depth: 0 }
    }
}

impl Canonical {
    pub(super) fn text<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CodecError> {
        let mut text = Self::default();
        value.serialize(&mut text)?;
        Ok(text.out)
    }

    #[inline]
    fn word(&mut self, word: &str) {
        self.out.extend_from_slice(word.as_bytes());
    }

    /// Writes a text in quotes. Returns whether its bytes sort as its UTF-16 code units do, which
    /// is so without escapes and without anything from U+E000 on, where the two orders part.
    #[inline]
    fn string(&mut self, text: &str) -> bool {
        if text.bytes().any(|byte| ODD[usize::from(byte)]) {
            // `serde_json` escapes as RFC 8785 asks for.
            self.plain(text);
            return false;
        }
        self.out.reserve(text.len() + 3);
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
        true
    }

    #[inline]
    fn integer(&mut self, integer: impl Serialize) {
        self.plain(&integer);
    }

    #[inline]
    fn plain<T: Serialize + ?Sized>(&mut self, value: &T) {
        // Neither a text nor an integer can fail, nor can a Vec.
        let written = serde_json::to_writer(&mut self.out, value);
        debug_assert!(written.is_ok());
    }

    fn float(&mut self, float: impl ryu_js::Float + Into<f64>) -> Result<(), CodecError> {
        if !float.into().is_finite() {
            return Err(CodecError("a number that is infinite or not a number".to_owned()));
        }
        self.word(ryu_js::Buffer::new().format_finite(float));
        Ok(())
    }

    fn number(&mut self, number: &Number) -> Result<(), CodecError> {
        match number.as_str() {
            "-0" => self.word("0"),
            digits if number.is_integer() => self.word(digits),
            _ => self.float(number.to_f64())?,
        }
        Ok(())
    }

    /// A document that is part of the value.
    fn raw(&mut self, text: &str) -> Result<(), CodecError> {
        let json: Json = text.parse().map_err(|error| CodecError(format!("raw JSON: {error}")))?;
        self.json(&json)
    }

    fn json(&mut self, json: &Json) -> Result<(), CodecError> {
        match json {
            Json::Null => self.word("null"),
            Json::Bool(true) => self.word("true"),
            Json::Bool(false) => self.word("false"),
            Json::Number(number) => self.number(number)?,
            Json::String(text) => _ = self.string(text),
            Json::Array(items) => {
                self.open(b'[')?;
                for item in items {
                    self.next_item();
                    self.json(item)?;
                }
                self.close(b']');
            }
            Json::Object(members) => {
                let mut object = Members::open(self)?;
                for (name, value) in members {
                    object.name(self, name);
                    self.json(value)?;
                    object.end_member(self);
                }
                object.close(self);
            }
        }
        Ok(())
    }

    #[inline]
    fn open(&mut self, bracket: u8) -> Result<(), CodecError> {
        self.out.push(bracket);
        self.deeper()
    }

    #[inline]
    fn close(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.depth -= 1;
    }

    /// Wrappers count too, since a list may be linked through them.
    #[inline]
    fn deeper(&mut self) -> Result<(), CodecError> {
        if self.depth == MAX_DEPTH {
            return Err(CodecError(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.depth += 1;
        Ok(())
    }

    /// Separates the members of a list or map.
    #[inline]
    fn next_item(&mut self) {
        // After the opening bracket nothing has to be separated, and no value ends in one.
        if !matches!(self.out.last(), Some(b'[' | b'{')) {
            self.out.push(b',');
        }
    }
}

/// Whether a key counts as absent, from its canonical JSON.
fn is_absent(json: &[u8]) -> bool {
    match json {
        b"null" | b"\"\"" | b"[]" | b"{}" => true,
        [b'[', items @ .., b']'] => items.split(|&byte| byte == b',').all(|item| item == b"null"),
        [b'{', members @ .., b'}'] => {
            let mut rest = members;
            // Each member is a name, a colon and `null`, and all but the first follow a comma.
            while let Some(after) = members::skip_name(rest).strip_prefix(b":null") {
                match after {
                    [] => return true,
                    [_, next @ ..] => rest = next,
                }
            }
            false
        }
        _ => false,
    }
}
