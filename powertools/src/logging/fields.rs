//! The fields of an event, of a span and of an invocation, as they stand in a line.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::ops::Range;

use tracing::field::{Field, Visit};

use super::copy::{self, copy};
use super::exception;
use super::json::Sink;
use super::keys;
use super::redact::{REDACTED, Redaction};
use super::settings::Format;
use crate::error::causes::with_causes;
use crate::json::write;

/// Fields that are written already, with their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    /// `,"order_id":7,"customer":"Ada"`
    pub(super) bytes: Vec<u8>,
    entries: Vec<Entry>,
    exception: Exception,
}

/// Who has the names that say what is known of an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Exception {
    #[default]
    Nobody,
    /// Fields that are called so.
    Fields,
    /// An error, and no field any more.
    Error,
}

#[derive(Clone, Debug)]
struct Entry {
    name: Cow<'static, str>,
    range: Range<usize>,
}

impl Fields {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.exception = Exception::Nobody;
    }

    /// True if something is said of an error.
    pub(super) fn has_exception(&self) -> bool {
        self.exception != Exception::Nobody
    }

    /// What stands there of an error is all that is known of it.
    pub(super) fn seal_exception(&mut self) {
        self.exception = Exception::Error;
    }

    /// True if a field of this name, further out, is not to be written: one of that name is here,
    /// or another error.
    fn covers(&self, name: &str) -> bool {
        self.contains(name) || (self.has_exception() && keys::is_exception(name))
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|entry| entry.name == name)
    }

    /// Writes one field, over one of the same name.
    pub(super) fn put(
        &mut self,
        name: Cow<'static, str>,
        style: &Style<'_>,
        value: impl FnOnce(&mut Vec<u8>),
    ) {
        let mut name = keys::free(name);
        if keys::is_exception(&name) {
            match self.exception {
                Exception::Error => name = keys::aside(name),
                _ => self.exception = Exception::Fields,
            }
        }
        if let Some(at) = self.position(&name) {
            self.remove(at);
        }
        let start = self.bytes.len();
        style.format.name(&mut self.bytes, &name);
        if style.redaction.hides_field(&name) {
            self.bytes.extend_from_slice(REDACTED);
        } else {
            value(&mut self.bytes);
        }
        self.entries.push(Entry { name, range: start..self.bytes.len() });
    }

    /// Writes a field whose value is JSON already.
    pub(super) fn put_json(&mut self, name: Cow<'static, str>, style: &Style<'_>, value: &str) {
        self.put(name, style, |out| copy(value, style.redaction, out));
    }

    /// Takes a field away, if it is there.
    pub(super) fn take_away(&mut self, name: &str) {
        self.position(name).into_iter().for_each(|at| self.remove(at));
        if !self.entries.iter().any(|entry| keys::is_exception(&entry.name)) {
            self.exception = Exception::Nobody;
        }
    }

    fn remove(&mut self, at: usize) {
        let Range { start, end } = self.entries.remove(at).range;
        self.bytes.drain(start..end);
        for entry in &mut self.entries[at..] {
            entry.range = entry.range.start - (end - start)..entry.range.end - (end - start);
        }
    }

    /// Adds those of `outer` that are not here.
    pub(super) fn add_missing(&mut self, outer: &Fields) {
        for entry in &outer.entries {
            if self.covers(&entry.name) {
                continue;
            }
            let start = self.bytes.len();
            self.bytes.extend_from_slice(&outer.bytes[entry.range.clone()]);
            let range = start..self.bytes.len();
            self.entries.push(Entry { name: entry.name.clone(), range });
        }
        if !self.has_exception() {
            self.exception = outer.exception;
        }
    }

    /// Writes to `out` what is in none of `others`.
    pub(super) fn write_without(&self, others: &[&Fields], out: &mut Vec<u8>) {
        let hidden = |entry: &Entry| others.iter().any(|other| other.covers(&entry.name));
        if !self.entries.iter().any(hidden) {
            return out.extend_from_slice(&self.bytes);
        }
        for entry in self.entries.iter().filter(|entry| !hidden(entry)) {
            out.extend_from_slice(&self.bytes[entry.range.clone()]);
        }
    }
}

/// How fields are written.
#[derive(Clone, Copy)]
pub(super) struct Style<'a> {
    pub(super) format: Format,
    pub(super) redaction: &'a Redaction,
}

/// Takes the fields of an event or a span.
pub(super) struct Visitor<'a> {
    pub(super) fields: &'a mut Fields,
    /// Where the message goes. A span has none, and an event only one.
    pub(super) message: Option<&'a mut Vec<u8>>,
    pub(super) style: Style<'a>,
}

impl Visitor<'_> {
    fn put(&mut self, field: &Field, value: impl FnOnce(&mut Vec<u8>)) {
        let message = if field.name() == "message" { self.message.take() } else { None };
        match message {
            Some(message) => {
                self.style.format.message(message);
                value(message);
            }
            None => self.fields.put(Cow::Borrowed(field.name()), &self.style, value),
        }
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
        self.put(field, |out| {
            let sink = match format {
                Format::Text if is_message => Sink::plain(out),
                _ => Sink::quoted(out),
            };
            sink.take(value, redaction);
        });
    }
}
