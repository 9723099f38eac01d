//! Passes the trace on to other services.
//!
//! | to | by |
//! |---|---|
//! | HTTP | [`PropagationLayer`] around a client that is a `tower::Service` of `http::Request`, or [`headers`] |
#![cfg_attr(
    feature = "aws-sdk",
    doc = "| AWS, through its SDK | [`SdkInterceptor`], which also makes a span of each call |"
)]
//! | SQS, SNS and Kafka | [`message_attributes`]; of SQS also [`xray_header`] in an attribute of the system |
//! | EventBridge | [`add_to_detail`], or [`xray_header`] as the `TraceHeader` of an entry |
//!
//! All of them name the innermost span of the current task, or else the root span of its invocation.
//! Where there is no span, they do nothing.
//!
//! # HTTP
//!
//! [`PropagationLayer`] fits the clients of `hyper-util`, and all others that take an `http::Request`. `reqwest` has a type of
//! its own for requests: its `RequestBuilder` takes the headers one by one, as that of `http` does.
//!
//! ```
//! use powertools_otel::outgoing;
//!
//! // With `reqwest`, `client.get(..)`.
//! let request = http::Request::get("https://payments.example/charges/7");
//! let headers = outgoing::headers().into_iter();
//! let request = headers.fold(request, |request, (name, value)| request.header(name, value));
//! # assert!(request.body(()).is_ok());
//! ```
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
//! /// Attributes of the message. Those of SNS are alike.
//! fn with_w3c(message: SendMessageFluentBuilder) -> SendMessageFluentBuilder {
//!     outgoing::message_attributes().into_iter().fold(message, |message, (name, value)| {
//!         let attribute = MessageAttributeValue::builder().data_type("String").string_value(value);
//!         match attribute.build() {
//!             Ok(attribute) => message.message_attributes(name, attribute),
//!             Err(_) => message,
//!         }
//!     })
//! }
//!
//! /// The detail of an event of EventBridge. X-Ray's header is `set_trace_header(outgoing::xray_header())`.
//! fn detail(order: u32) -> String {
//!     let mut detail = serde_json::json!({ "order": order });
//!     outgoing::add_to_detail(&mut detail);
//!     detail.to_string()
//! }
//! # assert_eq!(detail(7), r#"{"order":7}"#);
//! ```
//!
//! SNS has no attribute of the system: there it is those of the message, or an interceptor.
//!
//! The receiver finds `traceparent` and `tracestate` among the message attributes of SQS and SNS, in the
//! headers of Kafka records, and at the top of EventBridge's `detail`.

mod layer;
#[cfg(feature = "aws-sdk")]
mod sdk;

use std::sync::Arc;

use opentelemetry::trace::SpanContext;
use powertools::Invocation;

use crate::filter::spans_in_use;
use crate::incoming::Header;
use crate::propagators::{Propagators, TRACEPARENT, TRACESTATE, XRAY, write_w3c};
use crate::spans::Spans;
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
    current_span().map(|span| xray_of(&span, trace_of(&span, spans_in_use().as_ref()).as_deref()))
}

/// Returns attributes for a message of SQS or SNS, and headers for a record of Kafka, in which the receiver finds the current
/// span: `traceparent`, and `tracestate` unless it is empty. Those of SQS and SNS have the type `String`; SQS takes ten of
/// them.
///
/// A message that is passed on can have a `tracestate` already. It is that of another trace: remove it first.
#[must_use]
pub fn message_attributes() -> Vec<(&'static str, String)> {
    current_span().map_or_else(Vec::new, |span| w3c_of(&span).collect())
}

/// Adds to the detail of an event for EventBridge what the receiver continues the trace by: the members `traceparent`, and
/// `tracestate` unless it is empty.
///
/// Members of these names are replaced, where there is a span. A detail that is not an object, which EventBridge does not
/// take, stays as it is.
pub fn add_to_detail(detail: &mut serde_json::Value) {
    let attributes = message_attributes();
    if let Some(members) = detail.as_object_mut()
        && !attributes.is_empty()
    {
        // That of another trace.
        members.remove(TRACESTATE);
        let attributes = attributes.into_iter();
        members.extend(attributes.map(|(name, value)| (name.to_owned(), value.into())));
    }
}

/// Returns the headers for an HTTP request, in the formats of `OTEL_PROPAGATORS`.
///
/// A request that is passed on can have such headers already. These replace them, but have no `tracestate` if it is empty:
/// remove that of another trace first, as [`PropagationLayer`] does.
#[must_use]
pub fn headers() -> Vec<(&'static str, String)> {
    current_span().map_or_else(Vec::new, |span| headers_of(&span, spans_in_use().as_ref()))
}

/// Returns the headers of a span, which is one of `spans` where no invocation is the current one.
fn headers_of(span: &SpanContext, spans: Option<&Arc<Spans>>) -> Vec<(&'static str, String)> {
    let trace = trace_of(span, spans);
    let of_trace = trace.as_ref().map(|trace| trace.propagators());
    let propagators = of_trace.or_else(|| Some(spans?.propagators));
    let Propagators { w3c, xray } = propagators.unwrap_or_default();
    let mut headers = Vec::with_capacity(3);
    if w3c {
        headers.extend(w3c_of(span));
    }
    if xray {
        headers.push((XRAY, xray_of(span, trace.as_deref())));
    }
    headers
}

fn w3c_of(span: &SpanContext) -> impl Iterator<Item = (&'static str, String)> {
    let (parent, state) = write_w3c(span);
    [(TRACEPARENT, parent)].into_iter().chain(state.map(|state| (TRACESTATE, state)))
}

fn xray_of(span: &SpanContext, trace: Option<&Trace>) -> String {
    Header::of(span, trace.map_or("", Trace::xray_rest))
}

/// Returns the trace of the current invocation, or else of the one in which `span` was created: a task may do without
/// the invocation.
fn trace_of(span: &SpanContext, spans: Option<&Arc<Spans>>) -> Option<Arc<Trace>> {
    let of_invocation = Invocation::current().and_then(|invocation| Trace::of(&invocation));
    of_invocation.or_else(|| spans?.trace_of(span.span_id()))
}
