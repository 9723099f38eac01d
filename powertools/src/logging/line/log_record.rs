//! Records of the `log` facade, which come as events with their metadata in fields.

use std::fmt;

use tracing::field::{Field, FieldSet, Visit};
use tracing::metadata::Kind;
use tracing::{Event, Metadata};

const TARGET: &str = "log.target";
const LINE: &str = "log.line";

/// Where a record comes from.
#[derive(Default)]
pub(in crate::logging) struct LogRecord {
    target: String,
    line: Option<u32>,
}

impl LogRecord {
    /// Returns where the record of an event comes from, if the event is one.
    pub(in crate::logging) fn of(event: &Event<'_>) -> Option<Self> {
        let metadata = event.metadata();
        if metadata.target() != "log" || metadata.fields().field(TARGET).is_none() {
            return None;
        }
        let mut record = Self::default();
        event.record(&mut record);
        Some(record)
    }

    /// The metadata that an event of `tracing` at that place would have.
    pub(in crate::logging) fn metadata<'a>(&'a self, event: &Metadata<'a>) -> Metadata<'a> {
        let fields = FieldSet::new(&[], event.callsite());
        let level = *event.level();
        Metadata::new("log", &self.target, level, None, self.line, None, fields, Kind::EVENT)
    }
}

impl Visit for LogRecord {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == TARGET {
            value.clone_into(&mut self.target);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == LINE {
            self.line = u32::try_from(value).ok();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// True for a field that is part of the metadata of a record.
pub(in crate::logging) fn is_metadata(name: &str) -> bool {
    name.starts_with("log.")
}
