use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use super::correlation::Source;
use super::filter::admission::Admission;
use super::line::fields::Fields;
use super::line::format::{Format, Style};
use super::line::redact::Redaction;
use super::output::Output;
use super::traced;
use crate::clock::Clock;
use crate::json::write;

/// How lines are written, once all is decided.
pub(super) struct Settings {
    pub(super) admission: Admission,
    pub(super) format: Format,
    /// Indented by four spaces.
    pub(super) indented: bool,
    /// `,"service":"orders"` and what else is on every line of the process.
    pub(super) service: Vec<u8>,
    pub(super) persistent: Fields,
    /// The same where lines have the ids of spans, whose names are the line's own only then.
    pub(super) beside_ids: OnceLock<Fields>,
    pub(super) redaction: Redaction,
    pub(super) sample_rate: f64,
    /// The size of the buffer of an invocation, in bytes; 0 where there is none.
    pub(super) buffer: usize,
    pub(super) line_limit: usize,
    pub(super) event: bool,
    pub(super) event_limit: usize,
    pub(super) correlation: Option<Source>,
    pub(super) output: Output,
    pub(super) clock: Clock,
}

impl Settings {
    pub(super) fn style(&self) -> Style<'_> {
        Style { format: self.format, redaction: &self.redaction }
    }

    /// Writes what is on every line of the process.
    pub(super) fn render_service(&mut self, service: &str) {
        let mut out = Vec::new();
        self.format.name(&mut out, "service");
        self.redaction.string(&mut out, "service", service);
        if self.sample_rate > 0.0 {
            self.format.name(&mut out, "sampling_rate");
            write::float(&mut out, self.sample_rate);
        }
        self.service = out;
    }

    pub(super) fn render_persistent(&mut self, keys: Vec<(String, String)>) {
        let mut fields = Fields::default();
        for (name, value) in keys {
            fields.put_json(Cow::Owned(name), &self.style(), &value);
        }
        self.persistent = fields;
    }

    /// The keys of the process.
    pub(super) fn persistent(&self) -> &Fields {
        if !traced::is_on() {
            return &self.persistent;
        }
        self.beside_ids.get_or_init(|| {
            let mut fields = self.persistent.clone();
            fields.free_ids(&self.style());
            fields
        })
    }
}

/// The settings, where several parts hold them.
pub(super) type Shared = Arc<Settings>;
