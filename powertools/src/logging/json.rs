//! Values that are more than a number or a text, and how they get through `tracing`.
//!
//! A field of a `tracing` event is a number, a text or something with a `Debug` form. [`Json`]
//! looks like the last and writes JSON, and the layer must take that for JSON and no other text:
//! a name that reads `{"admin":true}` stays a text. So the two talk past the text: the layer says
//! that it expects a value, [`Json`] answers that the whole of what follows is its JSON, and the
//! layer believes it if nothing else was written.

use std::cell::Cell;
use std::fmt;

use serde::Serialize;
use tracing::field::DebugValue;

use super::copy::copy;
use super::escape::{self, Escapes};
use super::redact::Redaction;

/// A value that a log line shows as JSON, with its members. Made by [`json`].
///
/// Other layers than this crate's see its JSON text.
#[derive(Clone)]
pub struct Json<T>(T);

/// Makes any value that implements `Serialize` the value of a field.
///
/// Its members are found by queries, and the names in the
/// [redaction list](super::Logging::redact) are looked for in all of them.
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
/// A value that cannot be written as JSON, such as a map whose keys are not texts, shows the reason
/// instead.
pub fn json<T: Serialize>(value: T) -> DebugValue<Json<T>> {
    tracing::field::debug(Json(value))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Handoff {
    /// Nobody waits for a value.
    Idle,
    /// The layer is about to ask a value for its text.
    Expected,
    /// The text is JSON if it is this long in all.
    Json(usize),
}

thread_local! {
    static HANDOFF: Cell<Handoff> = const { Cell::new(Handoff::Idle) };
}

impl<T: Serialize> fmt::Debug for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match serde_json::to_string(&self.0) {
            Ok(text) => {
                if HANDOFF.get() == Handoff::Expected {
                    HANDOFF.set(Handoff::Json(text.len()));
                }
                f.write_str(&text)
            }
            Err(error) => write!(f, "no JSON: {error}"),
        }
    }
}

/// Takes the text of a value, and tells JSON from any other.
pub(super) struct Sink<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    text: Text,
    quote: bool,
    escapes: &'static Escapes,
}

enum Text {
    None,
    Plain,
    Json(usize),
}

impl<'a> Sink<'a> {
    /// For the value of a field, or a message in JSON.
    pub(super) fn quoted(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start, text: Text::None, quote: true, escapes: &escape::JSON }
    }

    /// For a message in a line for people.
    pub(super) fn plain(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start, text: Text::None, quote: false, escapes: &escape::PLAIN }
    }

    /// Writes the `Debug` form of `value`: as it is if that is JSON by [`json`], else as a text.
    pub(super) fn take(mut self, value: &dyn fmt::Debug, redaction: &Redaction) {
        // A value that logs comes here a second time.
        let outer = HANDOFF.replace(Handoff::Expected);
        // A `Debug` that fails has written what it could.
        let _ = fmt::Write::write_fmt(&mut self, format_args!("{value:?}"));
        HANDOFF.set(outer);

        match self.text {
            Text::None if self.quote => self.out.extend_from_slice(br#""""#),
            Text::Plain if self.quote => self.out.push(b'"'),
            Text::None | Text::Plain => {}
            Text::Json(length) => {
                let raw = self.out.split_off(self.start);
                let text = String::from_utf8_lossy(&raw);
                if raw.len() == length {
                    copy(&text, redaction, self.out);
                } else {
                    // Something else was written behind the JSON.
                    escape::string(self.out, &text);
                }
            }
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
            self.text = match HANDOFF.replace(Handoff::Idle) {
                Handoff::Json(length) => Text::Json(length),
                _ => Text::Plain,
            };
            if self.quote && matches!(self.text, Text::Plain) {
                self.out.push(b'"');
            }
        }
        match self.text {
            Text::Json(_) => self.out.extend_from_slice(text.as_bytes()),
            _ => escape::escaped(self.out, text, self.escapes),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_taken_as_it_is_and_its_text_is_not() {
        assert_eq!(taken(&Json([1, 2])), "[1,2]");
        assert_eq!(taken(&format_args!("[1,2]")), r#""[1,2]""#);
        assert_eq!(taken(&"{}"), r#""\"{}\"""#);
        assert_eq!(taken(&format_args!("")), r#""""#);
    }

    #[test]
    fn json_inside_of_something_else_is_a_text() {
        let json = Json("a");
        assert_eq!(taken(&Some(&json)), r#""Some(\"a\")""#);
        assert_eq!(taken(&format_args!("{json:?},\"admin\":true")), r#""\"a\",\"admin\":true""#);
        assert_eq!(taken(&format_args!("{json:?}{json:?}")), r#""\"a\"\"a\"""#);
    }

    #[test]
    fn a_value_that_is_no_json_says_why() {
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

    fn taken(value: &dyn fmt::Debug) -> String {
        let mut out = Vec::new();
        Sink::quoted(&mut out).take(value, &Redaction::default());
        String::from_utf8(out).unwrap()
    }
}
