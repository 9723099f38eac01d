//! Values that are more than a number or a text, and how they get through `tracing`.
//!
//! A field of a `tracing` event is a number, a text or something with a `Debug` form. [`Json`]
//! looks like the last and writes JSON, and the layer must take that for JSON and no other text:
//! a name that reads `{"admin":true}` stays a text. So the two talk past the text: [`Json`] says
//! where in memory the text is that it writes, and the layer believes it if that very text comes,
//! and nothing else.

use std::cell::Cell;
use std::fmt;

use serde::Serialize;
use tracing::field::DebugValue;

use super::copy::copy;
use super::debug_form;
use super::redact::Redaction;
use crate::json::write::{self, Escapes};

/// A value that a log line has as JSON, with its members. Created by [`json`].
///
/// Layers of other crates get it as a string of JSON.
#[derive(Clone)]
pub struct Json<T>(T);

/// Turns any value that implements `Serialize` into the value of a field.
///
/// Queries find its members, and [hidden names](crate::logging::Logging::redact) apply to all of
/// them.
///
/// ```
/// use powertools::logging::json;
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// struct Order { id: u32, lines: Vec<&'static str> }
///
/// let order = Order { id: 7, lines: vec!["tea"] };
/// tracing::info!(order = json(&order), "order accepted");
/// // {"level":"INFO",…,"message":"order accepted",…,"order":{"id":7,"lines":["tea"]}}
/// ```
///
/// A value that cannot be written as JSON, such as a map whose keys are not strings, is replaced by
/// the reason.
pub fn json<T: Serialize>(value: T) -> DebugValue<Json<T>> {
    tracing::field::debug(Json(value))
}

thread_local! {
    /// The text that a [`Json`] of this thread is writing right now.
    static WRITING: Cell<Option<*const str>> = const { Cell::new(None) };
}

impl<T: Serialize> fmt::Debug for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match serde_json::to_string(&self.0) {
            Ok(text) => {
                let _writing = Writing::begin(&text);
                f.write_str(&text)
            }
            Err(error) => write!(f, "no JSON: {error}"),
        }
    }
}

/// While this lives the text does too, so no other can be at its address.
struct Writing {
    outer: Option<*const str>,
}

impl Writing {
    fn begin(text: &str) -> Self {
        Self { outer: WRITING.replace(Some(text)) }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        WRITING.set(self.outer);
    }
}

/// Takes the string form of a value, and distinguishes JSON from other strings.
pub(in crate::logging) struct Sink<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    text: Text,
    quote: bool,
    escapes: &'static Escapes,
    /// The bytes behind which nothing more is taken.
    limit: usize,
}

enum Text {
    None,
    Plain,
    /// As long as this if nothing comes behind it.
    Json(usize),
}

impl<'a> Sink<'a> {
    /// For the value of a field, or a message in JSON.
    pub(in crate::logging) fn quoted(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        let limit = usize::MAX;
        Self { out, start, text: Text::None, quote: true, escapes: &write::JSON, limit }
    }

    /// Takes no more than the piece with the byte `limit`.
    pub(in crate::logging) fn up_to(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// For a message in a line for people.
    pub(in crate::logging) fn plain(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        let limit = usize::MAX;
        Self { out, start, text: Text::None, quote: false, escapes: &write::PLAIN, limit }
    }

    /// Writes the `Debug` form of `value`: as it is if that is JSON by [`json`], else as a text.
    pub(in crate::logging) fn take(mut self, value: &dyn fmt::Debug, redaction: &Redaction) {
        // A `Debug` that fails has written what it could.
        let _ = fmt::Write::write_fmt(&mut self, format_args!("{value:?}"));
        match self.text {
            Text::None if self.quote => self.out.extend_from_slice(br#""""#),
            Text::Plain if self.quote => {
                self.out.push(b'"');
                self.redact(redaction);
            }
            Text::None | Text::Plain => {}
            Text::Json(length) => {
                let raw = self.out.split_off(self.start);
                let text = String::from_utf8_lossy(&raw);
                if raw.len() == length {
                    copy(&text, redaction, self.out);
                } else {
                    // Something else was written behind the JSON.
                    write::string(self.out, &text);
                }
            }
        }
    }
}

impl Sink<'_> {
    /// Takes hidden values out of a `Debug` form.
    fn redact(&mut self, redaction: &Redaction) {
        if redaction.is_empty() {
            return;
        }
        let Ok(text) = serde_json::from_slice::<String>(&self.out[self.start..]) else { return };
        if let Some(redacted) = debug_form::redact(&text, redaction) {
            self.out.truncate(self.start);
            write::string(self.out, &redacted);
        }
    }
}

impl fmt::Write for Sink<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.is_empty() {
            return Ok(());
        }
        if let Text::None = self.text {
            // Whoever writes JSON later than this is inside of something else.
            let is_json = WRITING.get().is_some_and(|writing| std::ptr::eq(writing, text));
            self.text = if is_json { Text::Json(text.len()) } else { Text::Plain };
            if self.quote && matches!(self.text, Text::Plain) {
                self.out.push(b'"');
            }
        }
        match self.text {
            Text::Json(_) => self.out.extend_from_slice(text.as_bytes()),
            _ => write::escaped(self.out, text, self.escapes),
        }
        // JSON that is cut is none.
        let is_full = self.out.len() - self.start > self.limit;
        if is_full && matches!(self.text, Text::Plain) { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_embedded_and_a_string_of_it_is_quoted() {
        assert_eq!(taken(&Json([1, 2])), "[1,2]");
        assert_eq!(taken(&format_args!("[1,2]")), r#""[1,2]""#);
        assert_eq!(taken(&"{}"), r#""\"{}\"""#);
        assert_eq!(taken(&format_args!("")), r#""""#);
    }

    #[test]
    fn json_inside_another_value_is_a_string() {
        let json = Json("a");
        assert_eq!(taken(&Some(&json)), r#""Some(\"a\")""#);
        assert_eq!(taken(&format_args!("{json:?},\"admin\":true")), r#""\"a\",\"admin\":true""#);
        assert_eq!(taken(&format_args!("{json:?}{json:?}")), r#""\"a\"\"a\"""#);
    }

    #[test]
    fn a_value_that_cannot_be_serialised_contains_the_reason() {
        let map = std::collections::HashMap::from([((1, 2), 3)]);
        assert_eq!(taken(&Json(map)), r#""no JSON: key must be a string""#);
    }

    #[test]
    fn a_value_whose_debug_takes_another_value_is_still_json() {
        struct Nested;
        impl Serialize for Nested {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                assert_eq!(taken(&Json(1)), "1");
                assert_eq!(taken(&"x"), r#""\"x\"""#);
                to.serialize_u8(2)
            }
        }
        assert_eq!(taken(&Json(Nested)), "2");
        assert_eq!(taken(&Json(true)), "true");
    }

    #[test]
    fn a_debug_that_fails_leaves_valid_json() {
        struct Fails(bool);
        impl fmt::Debug for Fails {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                if self.0 {
                    fmt::Debug::fmt(&Json("json"), f)?;
                } else {
                    f.write_str("te\"xt")?;
                }
                Err(fmt::Error)
            }
        }
        assert_eq!(taken(&Fails(false)), r#""te\"xt""#);
        assert_eq!(taken(&Fails(true)), r#""json""#);
    }

    /// Makes JSON and writes something else, which may be just as long.
    struct Instead(fn() -> String, &'static str);

    impl fmt::Debug for Instead {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let json = (self.0)();
            f.write_str(if self.1.is_empty() { &json } else { self.1 })
        }
    }

    #[test]
    fn output_of_the_same_length_as_json_is_still_a_string() {
        assert_eq!(taken(&Instead(|| format!("{:?}", Json(7)), "x")), r#""x""#);
        let upper = || format!("{:?}", Json([true])).to_uppercase();
        assert_eq!(taken(&Instead(upper, "")), r#""[TRUE]""#);
        let forged = r#"1,"level":"TRACE" "#;
        let made = || format!("{:?}", Json("0123456789012345"));
        assert_eq!(made().len(), forged.len());
        assert_eq!(taken(&Instead(made, forged)), r#""1,\"level\":\"TRACE\" ""#);
    }

    #[test]
    fn json_after_json_that_went_elsewhere_is_json() {
        struct Second;
        impl fmt::Debug for Second {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                assert_eq!(format!("{:?}", Json(7)), "7");
                fmt::Debug::fmt(&Json([format!("{:?}", Json(1))]), f)
            }
        }
        assert_eq!(taken(&Second), r#"["1"]"#);
    }

    #[test]
    fn a_panic_during_serialisation_clears_the_trusted_json() {
        struct Panics;
        impl fmt::Write for Panics {
            fn write_str(&mut self, _: &str) -> fmt::Result {
                panic!("on purpose")
            }
        }
        let caught = std::panic::catch_unwind(|| {
            let mut panics = Panics;
            let _ = fmt::write(&mut panics, format_args!("{:?}", Json(7)));
        });
        caught.unwrap_err();
        assert!(WRITING.get().is_none());
    }

    fn taken(value: &dyn fmt::Debug) -> String {
        let mut out = Vec::new();
        Sink::quoted(&mut out).take(value, &Redaction::default());
        String::from_utf8(out).unwrap()
    }
}
