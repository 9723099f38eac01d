//! Spans in OTLP's protobuf form.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry::{KeyValue, Value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::{Attributes, ResourceAttributesWithSchema};
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::trace::SpanData;
use powertools::macro_support::otel::Redacts;
use prost::Message;

/// The most spans in one request.
const SPANS: usize = 512;
/// What stands in place of a value, as in the logs.
const REDACTED: &str = "*****";

/// The body of a request.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(super) body: Bytes,
    pub(super) spans: usize,
}

/// Turns spans into requests.
#[derive(Debug)]
pub(crate) struct Encoder {
    resource: ResourceAttributesWithSchema,
    is_compressed: bool,
}

impl Encoder {
    pub(crate) fn new(resource: Vec<KeyValue>, is_compressed: bool) -> Self {
        let schema_url = Some(crate::SCHEMA_URL.to_owned());
        let attributes = Attributes::from(resource);
        Self { resource: ResourceAttributesWithSchema { attributes, schema_url }, is_compressed }
    }

    pub(super) fn encode(&self, spans: Vec<SpanData>, redaction: Option<&Redacts>) -> Vec<Chunk> {
        let mut spans = spans.into_iter().peekable();
        let mut chunks = Vec::new();
        while spans.peek().is_some() {
            let mut batch: Vec<_> = spans.by_ref().take(SPANS).collect();
            if let Some(redaction) = redaction {
                batch.iter_mut().for_each(|span| redact(span, redaction));
            }
            let count = batch.len();
            let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
            let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
            let body = if self.is_compressed { gzip(&body) } else { body };
            chunks.push(Chunk { body: body.into(), spans: count });
        }
        chunks
    }
}

fn redact(span: &mut SpanData, redaction: &Redacts) {
    let of_events = span.events.events.iter_mut().flat_map(|event| &mut event.attributes);
    for attribute in span.attributes.iter_mut().chain(of_events) {
        if redaction(attribute.key.as_str()) {
            attribute.value = Value::from(REDACTED);
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
