use std::collections::{HashMap, HashSet};

use super::scan::unit;
use super::{Json, JsonError, MAX_DEPTH, Number};

/// Reads JSON (RFC 8259) into a tree.
pub(super) struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    pub(super) fn document(mut self) -> Result<Json, JsonError> {
        let value = self.value()?;
        self.space();
        self.end(value)
    }

    /// A number with nothing around it.
    pub(super) fn lone_number(mut self) -> Result<Number, JsonError> {
        let number = self.number()?;
        self.end(number)
    }

    fn end<T>(&self, value: T) -> Result<T, JsonError> {
        if self.at < self.text.len() {
            return Err(self.error("text after the end of the document"));
        }
        Ok(value)
    }

    fn value(&mut self) -> Result<Json, JsonError> {
        self.space();
        match self.peek() {
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'-' | b'0'..=b'9') => Ok(Json::Number(self.number()?)),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => Err(self.error("expected a value")),
            None => Err(self.error("the document ends where a value is expected")),
        }
    }

    fn nested(
        &mut self,
        container: fn(&mut Self) -> Result<Json, JsonError>,
    ) -> Result<Json, JsonError> {
        if self.depth == MAX_DEPTH {
            return Err(self.error("nested too deep"));
        }
        self.depth += 1;
        self.at += 1;
        let value = container(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array(&mut self) -> Result<Json, JsonError> {
        let mut items = Vec::new();
        if self.skip(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value()?);
            if self.skip(b']') {
                return Ok(Json::Array(items));
            }
            self.expect(b',', "expected a comma or the end of the list")?;
        }
    }

    fn object(&mut self) -> Result<Json, JsonError> {
        let mut members = Vec::new();
        if self.skip(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a name in quotes"));
            }
            let name = self.string()?;
            self.expect(b':', "expected a colon")?;
            members.push((name, self.value()?));
            if self.skip(b'}') {
                return Ok(Json::Object(last_wins(members)));
            }
            self.expect(b',', "expected a comma or the end of the object")?;
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let plain = rest.iter().position(|&byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            let Some(plain) = plain else {
                self.at = self.text.len();
                return Err(self.error("the document ends inside a text"));
            };
            string.push_str(&self.text[self.at..self.at + plain]);
            self.at += plain;
            match rest[plain] {
                b'"' => {
                    self.at += 1;
                    return Ok(string);
                }
                b'\\' => string.push(self.escape()?),
                _ => return Err(self.error("a control character in a text")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let char = match self.text.as_bytes().get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.error("unknown escape")),
        };
        self.at += 2;
        Ok(char)
    }

    fn unicode(&mut self) -> Result<char, JsonError> {
        const HALF: &str = "half of a surrogate pair, which no text can hold";

        let first = self.unit().ok_or_else(|| self.error("expected four hexadecimal digits"))?;
        if !(0xD800..0xE000).contains(&first) {
            self.at += 6;
            return char::from_u32(first).ok_or_else(|| self.error(HALF));
        }
        let start = self.at;
        self.at += 6;
        let second = self.unit().filter(|second| (0xDC00..0xE000).contains(second));
        match second {
            Some(second) if first < 0xDC00 => {
                self.at += 6;
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                char::from_u32(code).ok_or_else(|| self.error(HALF))
            }
            _ => {
                self.at = start;
                Err(self.error(HALF))
            }
        }
    }

    /// Returns the code unit of the `\uXXXX` at the current position.
    fn unit(&self) -> Option<u32> {
        unit(&self.text.as_bytes()[self.at..]).map(u32::from)
    }

    fn number(&mut self) -> Result<Number, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Number::of_digits(&self.text[start..self.at]))
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let rest = &self.text.as_bytes()[self.at..];
        match rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len()) {
            0 => Err(self.error("expected a digit")),
            count => {
                self.at += count;
                Ok(())
            }
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.error("expected a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn skip(&mut self, byte: u8) -> bool {
        self.space();
        let here = self.peek() == Some(byte);
        self.at += usize::from(here);
        here
    }

    fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), JsonError> {
        if self.skip(byte) { Ok(()) } else { Err(self.error(reason)) }
    }

    fn error(&self, reason: &'static str) -> JsonError {
        JsonError::new(reason, self.at)
    }
}

/// Leaves each name once: with the last value, in the first place, as Python and JavaScript do.
pub(super) fn last_wins(members: Vec<(String, Json)>) -> Vec<(String, Json)> {
    if !has_duplicates(&members) {
        return members;
    }
    let mut places = HashMap::with_capacity(members.len());
    let mut once: Vec<(String, Json)> = Vec::with_capacity(members.len());
    for (name, value) in members {
        match places.get(&name) {
            Some(&place) => {
                let (_, old): &mut (String, Json) = &mut once[place];
                *old = value;
            }
            None => {
                places.insert(name.clone(), once.len());
                once.push((name, value));
            }
        }
    }
    once
}

fn has_duplicates(members: &[(String, Json)]) -> bool {
    // Comparing each with each is faster for the few members that objects have; a hostile event
    // may have a hundred thousand.
    if members.len() <= 16 {
        let twice = |(index, (name, _)): (usize, &(String, Json))| {
            members[..index].iter().any(|(other, _)| other == name)
        };
        return members.iter().enumerate().any(twice);
    }
    let mut names = HashSet::with_capacity(members.len());
    !members.iter().all(|(name, _)| names.insert(name.as_str()))
}
