//! Spans in OTLP's protobuf form, written as they are: no other form of them is made first.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;
use powertools::macro_support::otel::Redacts;

/// The status of a span that its function's guard ended, and of one whose event was dropped.
pub(crate) const STOPPED: &str = "stopped before its end";
pub(crate) const DROPPED: &str = "dropped before its end";

/// What a span has in place of values that must not be sent.
const REDACTED: &str = "*****";

/// The flags of spans and links beside those of W3C: it is known whether the parent is remote, and it is.
const KNOWS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// Writes `ResourceSpans.resource`.
pub(super) fn resource(attributes: &[KeyValue]) -> Vec<u8> {
    let mut out = Vec::new();
    message(&mut out, 1, |out| key_values(out, 1, attributes, None));
    out
}

/// Writes `ScopeSpans.scope`.
pub(super) fn scope(name: &str, version: &str) -> Vec<u8> {
    let mut out = Vec::new();
    message(&mut out, 1, |out| {
        text(out, 1, name);
        text(out, 2, version);
    });
    out
}

/// Writes one of `ScopeSpans.spans`.
pub(super) fn span(out: &mut Vec<u8>, span: &SpanData, redaction: Option<&Redacts>) {
    message(out, 2, |out| {
        ids(out, &span.span_context);
        if span.parent_span_id != SpanId::INVALID {
            bytes(out, 4, &span.parent_span_id.to_bytes());
        }
        text(out, 5, &span.name);
        integer(out, 6, kind(&span.span_kind));
        time(out, 7, span.start_time);
        time(out, 8, span.end_time);
        key_values(out, 9, &span.attributes, redaction);
        integer(out, 10, span.dropped_attributes_count.into());
        span.events
            .iter()
            .for_each(|event| message(out, 11, |out| write_event(out, event, redaction)));
        integer(out, 12, span.events.dropped_count.into());
        span.links.iter().for_each(|link| message(out, 13, |out| write_link(out, link)));
        integer(out, 14, span.links.dropped_count.into());
        message(out, 15, |out| status(out, span, redaction));
        flags(out, 16, &span.span_context, span.parent_span_is_remote);
    });
}

/// Writes the request around spans that [`span`] wrote.
pub(super) fn request(resource: &[u8], scope: &[u8], spans: &[u8], schema_url: &str) -> Vec<u8> {
    let of_scope = scope.len() + spans.len();
    let len = resource.len() + field_len(of_scope) + field_len(schema_url.len());
    let mut out = Vec::with_capacity(field_len(len));
    head(&mut out, 1, len);
    out.extend_from_slice(resource);
    head(&mut out, 2, of_scope);
    out.extend_from_slice(scope);
    out.extend_from_slice(spans);
    text(&mut out, 3, schema_url);
    out
}

/// The most bytes that a request has around its parts.
pub(super) const FRAME: usize = 32;

/// Reads how many spans were rejected. What is no answer of a collector rejects none.
pub(super) fn rejected(answer: &[u8]) -> usize {
    let partial_success = Fields(answer).find_map(|field| match field {
        Field { number: 1, value: Read::Bytes(message) } => Some(message),
        _ => None,
    });
    let spans = Fields(partial_success.unwrap_or_default()).find_map(|field| match field {
        Field { number: 1, value: Read::Integer(spans) } => i64::try_from(spans).ok(),
        _ => None,
    });
    usize::try_from(spans.unwrap_or_default()).unwrap_or_default()
}

fn write_event(out: &mut Vec<u8>, event: &Event, redaction: Option<&Redacts>) {
    time(out, 1, event.timestamp);
    text(out, 2, &event.name);
    key_values(out, 3, &event.attributes, redaction);
    integer(out, 4, event.dropped_attributes_count.into());
}

fn write_link(out: &mut Vec<u8>, link: &Link) {
    ids(out, &link.span_context);
    key_values(out, 4, &link.attributes, None);
    integer(out, 5, link.dropped_attributes_count.into());
    flags(out, 6, &link.span_context, link.span_context.is_remote());
}

fn ids(out: &mut Vec<u8>, context: &SpanContext) {
    bytes(out, 1, &context.trace_id().to_bytes());
    bytes(out, 2, &context.span_id().to_bytes());
    text(out, 3, &context.trace_state().header());
}

fn flags(out: &mut Vec<u8>, number: u32, context: &SpanContext, is_remote: bool) {
    let remote = if is_remote { IS_REMOTE } else { 0 };
    tag(out, number, FIXED_32);
    let flags = u32::from(context.trace_flags().to_u8()) | KNOWS_REMOTE | remote;
    out.extend_from_slice(&flags.to_le_bytes());
}

fn kind(kind: &SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

fn status(out: &mut Vec<u8>, span: &SpanData, redaction: Option<&Redacts>) {
    match &span.status {
        Status::Unset => {}
        Status::Ok => integer(out, 3, 1),
        Status::Error { description } => {
            // It is the name of an error, one of our own words, or else the message of an error.
            let is_name = |attribute: &KeyValue| {
                attribute.key.as_str() == "error.type"
                    && attribute.value.as_str() == description.as_ref()
            };
            let is_own = ["", STOPPED, DROPPED].contains(&description.as_ref());
            let is_hidden = !is_own
                && hides(redaction, "exception.message")
                && !span.attributes.iter().any(is_name);
            text(out, 2, if is_hidden { REDACTED } else { description });
            integer(out, 3, 2);
        }
    }
}

/// Returns true if what has this name does not leave. An error has several names in a span.
fn hides(redaction: Option<&Redacts>, name: &str) -> bool {
    let Some(redacts) = redaction else { return false };
    redacts.hides(name) || is_of_error(name) && redacts.hides("error")
}

/// Returns true for the messages of an error. They are text, in which `token: expired` is no field.
fn is_of_error(name: &str) -> bool {
    matches!(name, "exception.message" | "exception.stacktrace")
}

/// Writes each name once, as OTLP requires, with its last value.
fn key_values(
    out: &mut Vec<u8>,
    number: u32,
    attributes: &[KeyValue],
    redaction: Option<&Redacts>,
) {
    for (index, KeyValue { key, value, .. }) in attributes.iter().enumerate() {
        let name = key.as_str();
        if attributes[index + 1..].iter().any(|later| later.key.as_str() == name) {
            continue;
        }
        let searched = redaction.filter(|_| !is_of_error(name));
        message(out, number, |out| {
            text(out, 1, name);
            message(out, 2, |out| match hides(redaction, name) {
                true => string(out, REDACTED),
                false => any_value(out, value, searched),
            });
        });
    }
}

/// Writes one of several kinds, also where it is the default of its kind.
fn any_value(out: &mut Vec<u8>, value: &Value, redaction: Option<&Redacts>) {
    let string = |out: &mut Vec<u8>, value: &str| {
        let redacted = redaction.and_then(|redacts| redacts.search(value));
        string(out, redacted.as_deref().unwrap_or(value));
    };
    match value {
        Value::String(value) => string(out, value.as_str()),
        Value::Bool(value) => boolean(out, *value),
        Value::I64(value) => whole(out, *value),
        Value::F64(value) => double(out, *value),
        Value::Array(Array::Bool(values)) => array(out, values, |out, value| boolean(out, *value)),
        Value::Array(Array::I64(values)) => array(out, values, |out, value| whole(out, *value)),
        Value::Array(Array::F64(values)) => array(out, values, |out, value| double(out, *value)),
        Value::Array(Array::String(values)) => {
            array(out, values, |out, value| string(out, value.as_str()));
        }
        // There is none in this version of OpenTelemetry.
        _ => string(out, &value.to_string()),
    }
}

fn array<T>(out: &mut Vec<u8>, values: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    message(out, 5, |out| {
        for value in values {
            message(out, 1, |out| write(out, value));
        }
    });
}

fn string(out: &mut Vec<u8>, value: &str) {
    bytes(out, 1, value.as_bytes());
}

fn boolean(out: &mut Vec<u8>, value: bool) {
    tag(out, 2, VARINT);
    varint(out, value.into());
}

fn whole(out: &mut Vec<u8>, value: i64) {
    tag(out, 3, VARINT);
    varint(out, value.cast_unsigned());
}

fn double(out: &mut Vec<u8>, value: f64) {
    tag(out, 4, FIXED_64);
    out.extend_from_slice(&value.to_le_bytes());
}

// The kinds of fields on the wire.
const VARINT: u32 = 0;
const FIXED_64: u32 = 1;
const BYTES: u32 = 2;
const FIXED_32: u32 = 5;

fn tag(out: &mut Vec<u8>, number: u32, kind: u32) {
    varint(out, u64::from(number << 3 | kind));
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn varint_len(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

#[inline]
fn bytes(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    head(out, number, value.len());
    out.extend_from_slice(value);
}

/// Writes what stands before so many bytes.
#[inline]
fn head(out: &mut Vec<u8>, number: u32, len: usize) {
    if number < 0x10 && len < 0x80 {
        return out.extend_from_slice(&[(number << 3 | BYTES) as u8, len as u8]);
    }
    long_head(out, number, len);
}

// Apart, so that the common one is short.
#[cold]
fn long_head(out: &mut Vec<u8>, number: u32, len: usize) {
    tag(out, number, BYTES);
    varint(out, len as u64);
}

/// The length of so many bytes with what [`head`] writes before them, if the number is below 16.
fn field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

/// Writes a string, unless it is empty, which is the default.
fn text(out: &mut Vec<u8>, number: u32, value: &str) {
    if !value.is_empty() {
        bytes(out, number, value.as_bytes());
    }
}

/// Writes a number, unless it is zero.
fn integer(out: &mut Vec<u8>, number: u32, value: u64) {
    if value > 0 {
        tag(out, number, VARINT);
        varint(out, value);
    }
}

/// Writes a time, unless it is the epoch, which is the default.
fn time(out: &mut Vec<u8>, number: u32, time: SystemTime) {
    let nanos = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    if nanos > 0 {
        tag(out, number, FIXED_64);
        out.extend_from_slice(&u64::try_from(nanos).unwrap_or(u64::MAX).to_le_bytes());
    }
}

/// Writes a message. Its length, which comes first, is known only at its end: what does not fit in one byte
/// moves the message.
fn message(out: &mut Vec<u8>, number: u32, write: impl FnOnce(&mut Vec<u8>)) {
    head(out, number, 0);
    let start = out.len() - 1;
    write(out);
    let len = out.len() - start - 1;
    if len < 0x80 {
        out[start] = len as u8;
        return;
    }
    let more = varint_len(len as u64) - 1;
    out.extend_from_slice(&[0; 10][..more]);
    out.copy_within(start + 1..start + 1 + len, start + 1 + more);
    let mut rest = len;
    for byte in &mut out[start..start + more] {
        *byte = rest as u8 | 0x80;
        rest >>= 7;
    }
    out[start + more] = rest as u8;
}

struct Field<'a> {
    number: u64,
    value: Read<'a>,
}

enum Read<'a> {
    Integer(u64),
    Bytes(&'a [u8]),
    /// Of a kind that is not read.
    Fixed,
}

/// The fields of a message, up to what is none.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let tag = self.varint()?;
        let value = match (tag & 7) as u32 {
            VARINT => Read::Integer(self.varint()?),
            BYTES => {
                let len = usize::try_from(self.varint()?).ok()?;
                Read::Bytes(self.take(len)?)
            }
            FIXED_64 => self.take(8).map(|_| Read::Fixed)?,
            FIXED_32 => self.take(4).map(|_| Read::Fixed)?,
            _ => return None,
        };
        Some(Field { number: tag >> 3, value })
    }
}

impl<'a> Fields<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{TraceFlags, TraceId, TraceState};
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
    };
    use opentelemetry_proto::transform::common::tonic::{Attributes, ResourceAttributesWithSchema};
    use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
    use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};
    use prost::Message;

    use super::*;

    fn context(is_remote: bool, state: &[(&'static str, &'static str)]) -> SpanContext {
        SpanContext::new(
            TraceId::from(7),
            SpanId::from(9),
            TraceFlags::SAMPLED,
            is_remote,
            TraceState::from_key_value(state.iter().copied()).unwrap(),
        )
    }

    fn full(text: &str) -> SpanData {
        let at = |millis| UNIX_EPOCH + Duration::from_millis(millis);
        let attributes = vec![
            KeyValue::new("text", text.to_owned()),
            KeyValue::new("empty", ""),
            KeyValue::new("", "no name"),
            KeyValue::new("negative", -7_i64),
            KeyValue::new("zero", 0_i64),
            KeyValue::new("most", i64::MAX),
            KeyValue::new("double", 0.0),
            KeyValue::new("false", false),
            KeyValue::new("bools", Value::Array(Array::Bool(vec![true, false]))),
            KeyValue::new("numbers", Value::Array(Array::I64(vec![0, 1 << 40]))),
            KeyValue::new("doubles", Value::Array(Array::F64(vec![0.5]))),
            KeyValue::new("texts", Value::Array(Array::String(vec!["".into(), "b".into()]))),
        ];
        let mut events = SpanEvents::default();
        events.events = vec![
            Event::new("first", at(1), attributes.clone(), 3),
            Event::new("", UNIX_EPOCH, Vec::new(), 0),
        ];
        events.dropped_count = 5;
        let mut links = SpanLinks::default();
        links.links = vec![
            Link::new(context(true, &[("a", "b")]), attributes.clone(), 300),
            Link::with_context(context(false, &[])),
        ];
        links.dropped_count = 200;
        SpanData {
            span_context: context(false, &[("vendor", "1")]),
            parent_span_id: SpanId::from(3),
            parent_span_is_remote: true,
            span_kind: SpanKind::Consumer,
            name: text.to_owned().into(),
            start_time: at(1_700_000_000_000),
            end_time: at(1_700_000_000_001),
            attributes,
            dropped_attributes_count: 70_000,
            events,
            links,
            status: Status::error(text.to_owned()),
            instrumentation_scope: InstrumentationScope::builder("name").with_version("1").build(),
        }
    }

    fn plain() -> SpanData {
        SpanData {
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            attributes: Vec::new(),
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Ok,
            dropped_attributes_count: 0,
            ..full("")
        }
    }

    #[test]
    fn a_request_has_the_bytes_of_opentelemetry_s_own_types() {
        // Lengths of one, two and three bytes.
        let texts =
            ["", "a", &"b".repeat(126), &"c".repeat(127), &"d".repeat(16_383), &"e".repeat(70_000)];
        for text in texts {
            let spans = vec![full(text), plain(), full("x")];
            let pairs = [KeyValue::new("service.name", text.to_owned())];
            let schema = "https://opentelemetry.io/schemas/1.37.0";
            let mut own = Vec::new();
            spans.iter().for_each(|data| span(&mut own, data, None));
            let own = request(&resource(&pairs), &scope("name", "1"), &own, schema);
            let attributes = Attributes::from(pairs);
            let of =
                ResourceAttributesWithSchema { attributes, schema_url: Some(schema.to_owned()) };
            let resource_spans = group_spans_by_resource_and_scope(spans, &of);
            let expected = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
            assert_eq!(own, expected, "{}", text.len());
        }
    }

    #[test]
    fn the_number_of_rejected_spans_is_read() {
        let answer = |rejected_spans, error_message: &str| {
            let error_message = error_message.to_owned();
            let partial = ExportTracePartialSuccess { rejected_spans, error_message };
            ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec()
        };
        assert_eq!(rejected(&answer(300, "too many")), 300);
        assert_eq!(rejected(&answer(0, "a warning")), 0);
        assert_eq!(rejected(&answer(-1, "")), 0);
        let whole = answer(300, "too many");
        for end in 0..whole.len() {
            assert!(matches!(rejected(&whole[..end]), 0 | 300), "{end}");
        }
        for damaged in
            [&b"<html>"[..], b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\x0a\xff\xff\x03"]
        {
            assert_eq!(rejected(damaged), 0);
        }
    }
}
