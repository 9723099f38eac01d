//! The fields of an event or a span, on their way into a line.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use tracing::field::{Field, Visit};

use super::copy;
use super::exception;
use super::fields::Fields;
use super::format::{Format, Style};
use super::json::Sink;
use super::log_record;
use crate::error::causes::with_causes;
use crate::json::{cut, write};

/// The bytes of a field of a span: it is on every line inside, and `#[instrument]` records whole
/// arguments.
const SPAN_FIELD: usize = 1024;

/// How an event begins among the arguments that `#[instrument]` records.
pub(in crate::logging) const EVENT_FORM: &str = "LambdaEvent { payload: ";

/// What a field that is an event is replaced by.
const EVENT: &[u8] = br#""LambdaEvent""#;

/// Takes the fields of an event or a span.
pub(in crate::logging) struct Visitor<'a> {
    pub(in crate::logging) fields: &'a mut Fields,
    /// Where the message goes. A span has none, and an event only one.
    pub(in crate::logging) message: Option<&'a mut Vec<u8>>,
    pub(in crate::logging) style: Style<'a>,
    pub(in crate::logging) is_of_span: bool,
    /// Some fields are the metadata of a record of `log`.
    pub(in crate::logging) is_log_record: bool,
}

impl Visitor<'_> {
    fn put(&mut self, field: &Field, value: impl FnOnce(&mut Vec<u8>)) {
        if self.is_log_record && log_record::is_metadata(field.name()) {
            return;
        }
        let message = if field.name() == "message" { self.message.take() } else { None };
        match message {
            Some(message) => {
                self.style.format.message(message);
                value(message);
            }
            None => {
                let is_of_span = self.is_of_span;
                self.fields.put(Cow::Borrowed(field.name()), &self.style, |out| {
                    let start = out.len();
                    value(out);
                    if is_of_span {
                        limit(out, start);
                    }
                });
            }
        }
    }
}

/// Cuts a value that is too long for every line, and takes away an event: that is logged only where
/// it is asked for.
fn limit(out: &mut Vec<u8>, start: usize) {
    let text = out[start..].strip_prefix(b"\"");
    if text.is_some_and(|text| text.starts_with(EVENT_FORM.as_bytes())) {
        out.truncate(start);
        out.extend_from_slice(EVENT);
    } else if out.len() - start > SPAN_FIELD {
        let value = out.split_off(start);
        cut::shorten(&value, SPAN_FIELD, out);
    }
}

impl Visit for Visitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.style.format == Format::Text && field.name() == "message" {
            return self.record_debug(field, &format_args!("{value}"));
        }
        let redaction = self.style.redaction;
        self.put(field, |out| copy::string(out, value, redaction));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, |out| write::integer(out, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, |out| write::integer(out, value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.put(field, |out| write::integer(out, value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.put(field, |out| write::integer(out, value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, |out| write::float(out, value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, |out| write::boolean(out, value));
    }

    fn record_error(&mut self, field: &Field, error: &(dyn StdError + 'static)) {
        if field.name() == "message" && self.message.is_some() {
            return self.put(field, |out| write::display(out, error));
        }
        if self.fields.has_exception() || self.style.redaction.hides(field.name()) {
            // A line has place for one error with all that is known of it.
            return self.put(field, |out| write::string(out, &with_causes(error)));
        }
        exception::put(self.fields, &self.style, error);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let Style { format, redaction } = self.style;
        let is_message = field.name() == "message" && self.message.is_some();
        let is_of_span = self.is_of_span;
        self.put(field, |out| {
            let sink = match format {
                Format::Text if is_message => Sink::plain(out),
                _ => Sink::quoted(out),
            };
            // Some more than is written, so that a hidden value is not cut off its name.
            let sink = if is_of_span { sink.up_to(2 * SPAN_FIELD) } else { sink };
            sink.take(value, redaction);
        });
    }
}
