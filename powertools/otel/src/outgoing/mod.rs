//! Passes the trace on to other services.
//!
//! | to | by |
//! |---|---|
//! | HTTP | [`PropagationLayer`] around a client that is a `tower::Service`, or [`headers`] |
#![cfg_attr(
    feature = "aws-sdk",
    doc = "| AWS, through its SDK | [`SdkInterceptor`], which also makes a span of each call |"
)]
//! | SQS, SNS, EventBridge and Kafka | [`traceparent`] and [`xray_header`] in attributes of the message |
//!
//! All of them name the innermost span of the current task, or else the root span of its invocation.
//! Where there is no span, they do nothing.
//!
//! # Messages
//!
//! Calls with an `SdkInterceptor` need nothing else: SQS, SNS and EventBridge pass the header of X-Ray
//! on. For others, or for receivers that read W3C's format:
//!
//! ```
//! use aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder;
//! use aws_sdk_sqs::types::{
//!     MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
//! };
//! use powertools_otel::outgoing;
//!
//! /// The attribute of the system, which costs none of the ten of a message.
//! fn with_xray(message: SendMessageFluentBuilder) -> SendMessageFluentBuilder {
//!     let Some(header) = outgoing::xray_header() else { return message };
//!     let attribute = MessageSystemAttributeValue::builder().data_type("String").string_value(header);
//!     let Ok(attribute) = attribute.build() else { return message };
//!     let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
//!     message.message_system_attributes(name, attribute)
//! }
//!
//! /// An attribute of the message.
//! fn with_w3c(message: SendMessageFluentBuilder) -> SendMessageFluentBuilder {
//!     let Some(header) = outgoing::traceparent() else { return message };
//!     let attribute = MessageAttributeValue::builder().data_type("String").string_value(header);
//!     let Ok(attribute) = attribute.build() else { return message };
//!     message.message_attributes("traceparent", attribute)
//! }
//! ```
//!
//! For EventBridge it is `set_trace_header(outgoing::xray_header())` of an entry, or the members
//! `traceparent` and `tracestate` of its detail.
//!
//! The receiver finds `traceparent` and `tracestate` among the message attributes of SQS and SNS, in the
//! headers of Kafka records, and at the top of EventBridge's `detail`.

mod layer;
#[cfg(feature = "aws-sdk")]
mod sdk;

use opentelemetry::trace::SpanContext;
use powertools::Invocation;

use crate::incoming::Header;
use crate::propagators::{Propagators, TRACEPARENT, TRACESTATE, XRAY, write_w3c};
use crate::trace::{Trace, current_span};

pub use self::layer::{Propagation, PropagationLayer};
#[cfg(feature = "aws-sdk")]
pub use self::sdk::SdkInterceptor;

/// Returns W3C's header of the current span: `00-<trace>-<span>-01`.
#[must_use]
pub fn traceparent() -> Option<String> {
    current_span().map(|span| write_w3c(&span).0)
}

/// Returns W3C's `tracestate` of the current span, unless it is empty.
#[must_use]
pub fn tracestate() -> Option<String> {
    write_w3c(&current_span()?).1
}

/// Returns the header of X-Ray for the current span: `Root=…;Parent=…;Sampled=1`, and the other
/// parts of the event's own header.
#[must_use]
pub fn xray_header() -> Option<String> {
    current_span().map(|span| xray_of(&span))
}

/// Returns the headers for an HTTP request, in the formats of `OTEL_PROPAGATORS`.
#[must_use]
pub fn headers() -> Vec<(&'static str, String)> {
    current_span().map_or_else(Vec::new, |span| headers_of(&span))
}

pub(crate) fn headers_of(span: &SpanContext) -> Vec<(&'static str, String)> {
    let of_trace = current_trace().map(|trace| trace.propagators());
    let Propagators { w3c, xray } = of_trace.unwrap_or_default();
    let mut headers = Vec::with_capacity(3);
    if w3c {
        let (parent, state) = write_w3c(span);
        headers.push((TRACEPARENT, parent));
        headers.extend(state.map(|state| (TRACESTATE, state)));
    }
    if xray {
        headers.push((XRAY, xray_of(span)));
    }
    headers
}

pub(crate) fn xray_of(span: &SpanContext) -> String {
    let trace = current_trace();
    Header::of(span, trace.as_ref().map_or("", |trace| trace.xray_rest()))
}

fn current_trace() -> Option<std::sync::Arc<Trace>> {
    Trace::of(&Invocation::current()?)
}
