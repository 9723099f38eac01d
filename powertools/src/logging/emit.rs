//! One line, from its level to its line break.

use std::cell::Cell;
use std::fmt;
use std::mem;

use tracing::{Level, Metadata};

use super::line::fields::{Fields, Inner};
use super::line::format::Format;
use super::line::timestamp::Timestamp;
use super::line::{cut, indent, keys};
use super::settings::{Settings, Shared};
use super::state::buffer::Buffer;
use super::state::ending::{PANIC, RECORD};
use super::state::{Place, State};
use super::traced;
use crate::hex::write_hex;
use crate::invocation::Invocation;
use crate::json::write;

/// Memory that is kept for the next line of the thread. What one very long line took is not.
const KEPT: usize = 64 * 1024;

/// Where a line comes from.
pub(super) struct Origin<'a> {
    level: Level,
    target: &'a str,
    line: Option<u32>,
}

impl<'a> Origin<'a> {
    pub(super) fn of(metadata: &Metadata<'a>) -> Self {
        Self { level: *metadata.level(), target: metadata.target(), line: metadata.line() }
    }

    /// The beginning of a line in JSON, up to the location.
    fn start(&self) -> &'static [u8] {
        match self.level {
            Level::TRACE => br#"{"level":"TRACE","location":""#,
            Level::DEBUG => br#"{"level":"DEBUG","location":""#,
            Level::INFO => br#"{"level":"INFO","location":""#,
            Level::WARN => br#"{"level":"WARN","location":""#,
            Level::ERROR => br#"{"level":"ERROR","location":""#,
        }
    }

    fn level(&self) -> &'static str {
        match self.level {
            Level::TRACE => "TRACE",
            Level::DEBUG => "DEBUG",
            Level::INFO => "INFO",
            Level::WARN => "WARN",
            Level::ERROR => "ERROR",
        }
    }

    /// The target, which is the module unless the event names another, and the line.
    fn write_location(&self, out: &mut Vec<u8>) {
        write::escaped(out, self.target, &write::JSON);
        if let Some(line) = self.line {
            out.push(b':');
            write::integer(out, line);
        }
    }
}

/// The buffers in which a line is built.
#[derive(Default)]
pub(super) struct Scratch {
    /// The line up to the message, and finally all of it.
    pub(super) line: Vec<u8>,
    /// The fields of the event and of its spans.
    pub(super) fields: Fields,
    /// The line in its other shape, where it has one.
    other: Vec<u8>,
    timestamp: Timestamp,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl Scratch {
    /// Takes the thread's memory out, so that a value whose `Debug` logs finds none and makes its
    /// own.
    pub(super) fn take() -> Box<Self> {
        SCRATCH.try_with(Cell::take).ok().flatten().unwrap_or_default()
    }

    pub(super) fn give_back(mut self: Box<Self>) {
        self.fields.clear();
        for bytes in [&mut self.line, &mut self.other, &mut self.fields.bytes] {
            bytes.clear();
            bytes.shrink_to(KEPT);
        }
        // Fails while the thread ends, when no further line is written.
        let _ = SCRATCH.try_with(|scratch| scratch.set(Some(self)));
    }

    /// Writes the part before the message.
    pub(super) fn begin(&mut self, origin: &Origin<'_>, settings: &Settings) {
        if settings.format == Format::Json {
            self.line.extend_from_slice(origin.start());
            origin.write_location(&mut self.line);
            self.line.push(b'"');
        }
    }

    /// Completes the line and writes it, or keeps it with its invocation if it is not to be
    /// `written`. Where no invocation is the current one, that `of_span` counts.
    pub(super) fn end(
        &mut self,
        origin: &Origin<'_>,
        written: bool,
        settings: &Shared,
        of_span: &dyn Fn() -> Option<Invocation>,
    ) {
        let is_failure = origin.level == Level::ERROR || origin.target == RECORD;
        let end = |invocation: Invocation| {
            let now = invocation.clock().now();
            let place = Place::of(&invocation);
            let sampled = place.is_sampled(settings.sample_rate);
            self.complete(origin, now, settings, |fields, line| {
                place.write(sampled, settings, fields, line);
            });
            if !written && sampled != Some(true) {
                if settings.buffer > 0 {
                    place.keep(&self.line, settings);
                }
                // A record has failed, whether or not the level admits the line about it.
                if origin.target == RECORD
                    && let Some((_, buffer)) = place.take_kept()
                {
                    flush(buffer, settings);
                }
                return None;
            }
            let kept = if is_failure { place.take_kept() } else { None };
            if origin.level > Level::WARN && kept.is_none() && place.hold(&self.line, settings) {
                return None;
            }
            Some(kept)
        };
        // Not borrowed: the clock, the record and the writer are code of the user, which can enter an
        // invocation itself.
        let invocation = Invocation::current().or_else(of_span);
        match invocation.map(end) {
            // The line is buffered by the invocation, held, or not written at all.
            Some(None) => {}
            Some(Some(kept)) => {
                kept.into_iter().for_each(|(_, buffer)| flush(buffer, settings));
                settings.output.write(&self.line);
            }
            None if written => {
                self.complete(origin, settings.clock.now(), settings, |fields, line| {
                    settings.persistent().write_without(&Inner::new(fields), line);
                });
                settings.output.write(&self.line);
            }
            None => {}
        }
    }

    /// Writes the part after the message; `invocation` adds its fields.
    fn complete(
        &mut self,
        origin: &Origin<'_>,
        now: std::time::SystemTime,
        settings: &Settings,
        invocation: impl FnOnce(&Fields, &mut Vec<u8>),
    ) {
        let Self { line, fields, other, timestamp } = self;
        let ids = traced::current_ids();
        if ids.is_some() {
            fields.free_ids(&settings.style());
        }
        match settings.format {
            Format::Json => {
                line.extend_from_slice(br#","timestamp":""#);
                timestamp.write(now, line);
                line.push(b'"');
                line.extend_from_slice(&settings.service);
                invocation(fields, line);
                write_ids(line, ids, settings);
                line.extend_from_slice(&fields.bytes);
                line.push(b'}');
                if line.len() >= settings.line_limit {
                    cut::json(line, settings.line_limit - 1, other);
                    mem::swap(line, other);
                }
                if settings.indented {
                    indent::indent(line, other);
                    mem::swap(line, other);
                }
            }
            Format::Text => {
                timestamp.write(now, other);
                other.push(b' ');
                other.extend_from_slice(origin.level().as_bytes());
                other.push(b' ');
                origin.write_location(other);
                other.extend_from_slice(b": ");
                other.extend_from_slice(line);
                let message = other.len();
                other.extend_from_slice(&fields.bytes);
                let fields_end = other.len();
                other.extend_from_slice(&settings.service);
                invocation(fields, other);
                write_ids(other, ids, settings);
                cut::text(other, message, fields_end, settings.line_limit - 1);
                mem::swap(line, other);
            }
        }
        line.push(b'\n');
    }
}

/// Writes the trace and the span of the current task, where there are spans.
fn write_ids(out: &mut Vec<u8>, ids: Option<([u8; 16], [u8; 8])>, settings: &Settings) {
    let Some((trace, span)) = ids else { return };
    let mut digits = [0; 32];
    for (name, id) in [(keys::TRACE_ID, &trace[..]), (keys::SPAN_ID, &span)] {
        let digits = &mut digits[..2 * id.len()];
        write_hex(digits, id);
        settings.format.name(out, name);
        let digits = str::from_utf8(digits).expect("digits are ASCII");
        settings.redaction.string(out, name, digits);
    }
}

/// Writes what was kept: the handler failed. Where it did not, that stays: the runtime may find
/// that it cannot send the response, and log that.
pub(super) fn flush_kept(invocation: &Invocation) {
    let kept = Place::of(invocation).take_kept();
    kept.into_iter().for_each(|(settings, buffer)| flush(buffer, &settings));
}

/// Writes the lines of a buffer, and how many of them are missing.
fn flush(buffer: Buffer, settings: &Shared) {
    let evicted = buffer.evicted();
    buffer.for_each(|line| settings.output.write(line));
    if evicted > 0 {
        let missing = "lines of this invocation are missing: they did not fit into the buffer";
        warn(&format!("{evicted} {missing}"), settings);
    }
}

/// Writes a warning of the logs themselves. An event would come back to where this is called.
pub(super) fn warn(message: &str, settings: &Shared) {
    if !settings.admission.admits_any() {
        return;
    }
    let origin = Origin { level: Level::WARN, target: "powertools::logging", line: None };
    let mut scratch = Scratch::default();
    scratch.begin(&origin, settings);
    settings.format.message(&mut scratch.line);
    match settings.format {
        Format::Json => write::string(&mut scratch.line, message),
        Format::Text => write::escaped(&mut scratch.line, message, &write::PLAIN),
    }
    scratch.end(&origin, true, settings, &|| None);
}

/// Writes the line of a panic. No other layer sees it: one can be what panicked, and hold a lock.
pub(super) fn panicked(message: &str, location: Option<&dyn fmt::Display>, settings: &Shared) {
    if !settings.admission.reports_panics {
        // The panic may end the process.
        return settings.output.flush();
    }
    let origin = Origin { level: Level::ERROR, target: PANIC, line: None };
    let mut scratch = Scratch::default();
    scratch.begin(&origin, settings);
    settings.format.message(&mut scratch.line);
    let text = format!("panicked: {message}");
    match settings.format {
        Format::Json => write::string(&mut scratch.line, &text),
        Format::Text => write::escaped(&mut scratch.line, &text, &write::PLAIN),
    }
    let style = settings.style();
    let mut put = |name: &'static str, value: &dyn fmt::Display| {
        scratch.fields.put(name.into(), &style, |out| write::display(out, value));
    };
    put(keys::EXCEPTION, &message);
    put(keys::EXCEPTION_NAME, &"Powertools.Panic");
    if let Some(location) = location {
        put("panic_location", location);
    }
    scratch.end(&origin, true, settings, &|| None);
    Invocation::with_current(|invocation| {
        invocation.local::<State>().lock().event.ending.written(PANIC);
    });
}
