use std::fmt::Display;

use serde::Serialize;

use super::member::Member;
use crate::json::{MAX_DEPTH, scan, write};

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// What native keys are hashes of: compact, members sorted as in RFC 8785, integers by their
    /// exact digits, floats as in RFC 8785.
    Canonical,
    /// What the keys of other toolkits are made from: the JSON of the event, in its order. A float
    /// that has lost the text that it had in the event is refused.
    Event,
    /// A result: what cannot be read as the same value again is refused.
    Result,
}

/// A value that was written.
pub(crate) struct Written {
    pub(crate) text: Vec<u8>,
    /// An identifier in it is [absent](super::ABSENT).
    pub(crate) is_absent: bool,
    /// Only reading the text shows whether its type can be read from it.
    pub(crate) in_doubt: bool,
    /// A float in it is a whole number.
    pub(crate) has_whole_float: bool,
}

/// Why a value cannot be written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WriteError(pub(crate) String);

impl serde::ser::Error for WriteError {
    fn custom<T: Display>(reason: T) -> Self {
        Self(reason.to_string())
    }
}

/// Writes a value as JSON. An error names the place in the value.
pub(crate) fn to_text<T: Serialize + ?Sized>(value: &T, form: Form) -> Result<Written, WriteError> {
    // Room for what is usual: growing takes as long as writing.
    append(Vec::with_capacity(512), value, form)
}

/// Writes a value behind `head`. An error names the place in the value.
pub(crate) fn append<T: Serialize + ?Sized>(
    head: Vec<u8>,
    value: &T,
    form: Form,
) -> Result<Written, WriteError> {
    let start = head.len();
    let mut writer = Writer::new(head, form);
    match value.serialize(&mut writer) {
        Ok(()) => Ok(Written {
            text: writer.out,
            is_absent: writer.is_absent,
            in_doubt: writer.in_doubt,
            has_whole_float: writer.has_whole_float,
        }),
        Err(WriteError(reason)) => {
            let place = scan::pointer_to(&writer.out[start..], usize::MAX);
            let place = if place.is_empty() { String::new() } else { format!(" at {place}") };
            Err(WriteError(format!("{reason}{place}")))
        }
    }
}

/// JSON text in the making.
///
/// It is written in one go: members in the order in which they come, sorted afterwards if they
/// have to be and were not.
pub(super) struct Writer {
    pub(super) out: Vec<u8>,
    /// The members of all objects that are open, the innermost last.
    pub(super) members: Vec<Member>,
    pub(super) form: Form,
    depth: usize,
    /// Floats are being written with the text that they had in the event.
    pub(super) has_its_text: bool,
    pub(super) is_absent: bool,
    pub(super) in_doubt: bool,
    has_whole_float: bool,
}

/// The bytes that JSON escapes, and those of characters from U+E000 on.
const ODD: [bool; 256] = {
    let mut odd = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        odd[byte] = write::STANDARD[byte] != 0 || byte >= 0xEE;
        byte += 1;
    }
    odd
};

impl Writer {
    fn new(out: Vec<u8>, form: Form) -> Self {
        Self {
            out,
            members: Vec::new(),
            form,
            depth: 0,
            has_its_text: false,
            is_absent: false,
            in_doubt: false,
            has_whole_float: false,
        }
    }

    #[inline]
    pub(super) fn word(&mut self, word: &str) {
        self.out.extend_from_slice(word.as_bytes());
    }

    /// Writes a string in quotes. Returns whether its bytes sort as its UTF-16 code units do, which
    /// is so without escapes and without anything from U+E000 on, where the two orders part.
    #[inline]
    pub(super) fn string(&mut self, text: &str) -> bool {
        if text.bytes().any(|byte| ODD[usize::from(byte)]) {
            write::quoted(&mut self.out, text, &write::STANDARD);
            return false;
        }
        self.out.reserve(text.len() + 3);
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
        true
    }

    pub(super) fn float(
        &mut self,
        float: impl ryu_js::Float + zmij::Float + Into<f64>,
    ) -> Result<(), WriteError> {
        if self.form == Form::Event && !self.has_its_text {
            let reason = "a float, which has lost the text that it had in the event: \
                          take the value from the event's own JSON (`Json` or `RawValue`)";
            return Err(WriteError(reason.to_owned()));
        }
        let double = float.into();
        if !double.is_finite() {
            return Err(WriteError("a number that is infinite or not a number".to_owned()));
        }
        self.has_whole_float |= !self.has_its_text && double.fract() == 0.0;
        match self.form {
            Form::Canonical => self.word(ryu_js::Buffer::new().format_finite(float)),
            Form::Event | Form::Result => self.word(zmij::Buffer::new().format_finite(float)),
        }
        Ok(())
    }

    #[inline]
    pub(super) fn open(&mut self, bracket: u8) -> Result<(), WriteError> {
        self.out.push(bracket);
        self.deeper()
    }

    #[inline]
    pub(super) fn close(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.shallower();
    }

    /// Wrappers count too, since a list may be linked through them.
    #[inline]
    pub(super) fn deeper(&mut self) -> Result<(), WriteError> {
        if self.depth + 1 >= MAX_DEPTH {
            self.check_depth()?;
        }
        self.depth += 1;
        Ok(())
    }

    #[inline]
    pub(super) fn shallower(&mut self) {
        self.depth -= 1;
    }

    /// Readers of results have limits of their own, which only reading shows.
    #[cold]
    fn check_depth(&mut self) -> Result<(), WriteError> {
        if self.form == Form::Result {
            self.in_doubt = true;
        } else if self.depth == MAX_DEPTH {
            return Err(WriteError(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }

    /// Separates the members of a list or map.
    #[inline]
    pub(super) fn next_item(&mut self) {
        // After the opening bracket nothing has to be separated, and no value ends in one.
        if !matches!(self.out.last(), Some(b'[' | b'{')) {
            self.out.push(b',');
        }
    }
}
