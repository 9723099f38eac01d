//! The formats in which a trace is passed from one service to another.

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;

/// The header of X-Ray in HTTP requests.
pub(crate) const XRAY: &str = "x-amzn-trace-id";
pub(crate) const TRACEPARENT: &str = "traceparent";
pub(crate) const TRACESTATE: &str = "tracestate";

/// Which formats are read and written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Propagators {
    pub(crate) w3c: bool,
    pub(crate) xray: bool,
}

impl Default for Propagators {
    fn default() -> Self {
        Self { w3c: true, xray: true }
    }
}

/// The length of a header that anybody has to pass on.
const MAX_BYTES: usize = 512;

/// Reads the context of W3C's headers.
pub(crate) fn read_w3c(traceparent: &str, tracestate: Option<&str>) -> Option<SpanContext> {
    if !is_traceparent(traceparent.as_bytes()) {
        return None;
    }
    let tracestate = tracestate.filter(|state| state.len() <= MAX_BYTES);
    let carrier = W3c { traceparent, tracestate };
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    let span = context.span().span_context().clone();
    span.is_valid().then_some(span)
}

/// Returns true for `00-<32 digits>-<16 digits>-<2 digits>`. A later version may have more parts.
fn is_traceparent(header: &[u8]) -> bool {
    const LEN: usize = 55;
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let Some((known, more)) = header.split_at_checked(LEN) else { return false };
    let are_parts = known.iter().enumerate().all(|(index, byte)| match index {
        2 | 35 | 52 => *byte == b'-',
        _ => is_digit(byte),
    });
    let is_later = more.first() == Some(&b'-') && !known.starts_with(b"00");
    are_parts && (more.is_empty() || is_later && header.len() <= MAX_BYTES)
}

/// Returns W3C's headers for work under `span`: `traceparent`, and `tracestate` if there is one.
pub(crate) fn write_w3c(span: &SpanContext) -> (String, Option<String>) {
    let mut carrier = Written::default();
    let context = Context::new().with_remote_span_context(span.clone());
    TraceContextPropagator::new().inject_context(&context, &mut carrier);
    let state = carrier.0.remove(TRACESTATE).filter(|state| !state.is_empty());
    (carrier.0.remove(TRACEPARENT).unwrap_or_default(), state)
}

struct W3c<'a> {
    traceparent: &'a str,
    tracestate: Option<&'a str>,
}

impl Extractor for W3c<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACEPARENT => Some(self.traceparent),
            TRACESTATE => self.tracestate,
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}

#[derive(Default)]
struct Written(HashMap<String, String>);

impl Injector for Written {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
}
