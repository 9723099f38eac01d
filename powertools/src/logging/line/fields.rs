//! The fields of an event, of a span and of an invocation, as they stand in a line.

use std::borrow::Cow;
use std::ops::Range;

use super::copy::copy;
use super::format::Style;
use super::keys;
use super::redact::REDACTED;

/// Fields that are written already, with their names.
#[derive(Clone, Debug, Default)]
pub(in crate::logging) struct Fields {
    /// `,"order_id":7,"customer":"Ada"`
    pub(in crate::logging) bytes: Vec<u8>,
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
    pub(in crate::logging) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.exception = Exception::Nobody;
    }

    /// True if something is said of an error.
    pub(in crate::logging) fn has_exception(&self) -> bool {
        self.exception != Exception::Nobody
    }

    /// All that is known of an error is what is written here.
    pub(in crate::logging) fn seal_exception(&mut self) {
        self.exception = Exception::Error;
    }

    /// True if a field of this name, further out, is not to be written: one of that name is here,
    /// or another error.
    fn covers(&self, name: &str) -> bool {
        self.contains(name) || (self.has_exception() && keys::is_exception(name))
    }

    pub(in crate::logging) fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|entry| entry.name == name)
    }

    /// Writes one field, over one of the same name.
    pub(in crate::logging) fn put(
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
    pub(in crate::logging) fn put_json(
        &mut self,
        name: Cow<'static, str>,
        style: &Style<'_>,
        value: &str,
    ) {
        self.put(name, style, |out| copy(value, style.redaction, out));
    }

    /// Takes a field away, if it is there.
    pub(in crate::logging) fn take_away(&mut self, name: &str) {
        self.position(name).into_iter().for_each(|at| self.remove(at));
        if !self.entries.iter().any(|entry| keys::is_exception(&entry.name)) {
            self.exception = Exception::Nobody;
        }
    }

    /// Gives fields that are called like the ids of a span the names that they have beside these: they can be from
    /// before lines had any.
    pub(in crate::logging) fn free_ids(&mut self, style: &Style<'_>) {
        for name in [keys::TRACE_ID, keys::SPAN_ID] {
            let Some(at) = self.position(name) else { continue };
            let mut head = Vec::new();
            style.format.name(&mut head, name);
            let Range { start, end } = self.entries[at].range;
            let value = self.bytes[start + head.len()..end].to_vec();
            self.remove(at);
            self.put(name.into(), style, |out| out.extend_from_slice(&value));
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
    pub(in crate::logging) fn add_missing(&mut self, outer: &Fields) {
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

    /// Writes to `out` what none of `inner` covers.
    pub(in crate::logging) fn write_without(&self, inner: &Inner<'_>, out: &mut Vec<u8>) {
        let hidden = |entry: &Entry| inner.covers(&entry.name);
        if !self.entries.iter().any(hidden) {
            return out.extend_from_slice(&self.bytes);
        }
        for entry in self.entries.iter().filter(|entry| !hidden(entry)) {
            out.extend_from_slice(&self.bytes[entry.range.clone()]);
        }
    }
}

/// Fields of which some stand further in than others.
#[derive(Clone, Copy)]
pub(in crate::logging) struct Inner<'a> {
    fields: &'a Fields,
    more: Option<&'a Self>,
}

impl<'a> Inner<'a> {
    pub(in crate::logging) fn new(fields: &'a Fields) -> Self {
        Self { fields, more: None }
    }

    /// These fields, and `fields` outside of them.
    pub(in crate::logging) fn and(&'a self, fields: &'a Fields) -> Self {
        Self { fields, more: Some(self) }
    }

    fn covers(&self, name: &str) -> bool {
        std::iter::successors(Some(self), |inner| inner.more).any(|inner| inner.fields.covers(name))
    }
}
