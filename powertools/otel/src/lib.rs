//! Spans of functions on AWS Lambda, for OpenTelemetry and X-Ray.
//!
//! ```no_run
//! use lambda_runtime::{Error, LambdaEvent};
//! use powertools::Powertools;
//! use powertools::logging::Logging;
//! use powertools_otel::Otel;
//!
//! #[tracing::instrument(skip_all, fields(order = event.payload))]
//! async fn handle(event: LambdaEvent<u32>) -> Result<(), Error> {
//!     charge(event.payload).await;
//!     Ok(())
//! }
//!
//! #[tracing::instrument]
//! async fn charge(order: u32) {}
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     Powertools::new(handle).logging(Logging::new()).lifecycle(Otel::new()).run().await
//! }
//! ```
//!
//! ```toml
//! [dependencies]
//! lambda_runtime = "1.5"
//! powertools = "0.1"
//! powertools-otel = "0.1" # or with features, such as { version = "0.1", features = ["aws-sdk"] }
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! tracing = "0.1"
//! ```
//!
//! Spans are those of the crate `tracing`: keep `#[tracing::instrument]` where you have it. Each event has
//! a root span, and the spans of its work are under it, also in tasks that
//! [carry](powertools::Invocation::carry) the invocation, with any number of events at the same time. The
//! lines of the logs have the ids of their span as `trace_id` and `span_id`.
//!
//! [Follow one request through five services](guide) shows all of it at work.
//!
//! # Where spans go
//!
//! | | |
//! |---|---|
//! | [`Otel::new`], [`Otel::collector`] | to a collector, by OTLP over HTTP in protobuf: an extension on `localhost:4318`, or another server |
#![cfg_attr(
    feature = "xray",
    doc = "| [`Otel::xray`] | to X-Ray's own endpoint, signed (feature `xray`) |"
)]
//! | [`Otel::stdout`] | to the standard output, for a forwarder that reads the logs |
//!
//! # When they go
//!
//! | | the reply waits | what is lost if the environment ends | |
//! |---|---|---|---|
//! | [`before_reply`](Otel::before_reply) | yes | spans that ended after the reply, and those that wait for a collector | the default |
//! | [`after_reply`](Otel::after_reply) | no, the next event does | the same, and the spans of the last event | |
//! | [`every`](Otel::every) | no | nothing, if the function is notified of the end | for Lambda Managed Instances |
//!
//! No thread is started, and none is blocked. A request takes at most 1 second
//! (`OTEL_EXPORTER_OTLP_TIMEOUT`), and all of a flush what the invocation has left before its deadline, at
//! most 5 seconds. A request to a collector that is busy or cannot be reached is tried three times, 50 and
//! 100 ms apart. If it does not answer, the spans are kept for a later flush, and there is no attempt for 1
//! second, then 2, up to 30. With less than 5 ms left no attempt is made, which is not such a failure. What a
//! collector would refuse each time, such as a redirect, is dropped. Memory is bounded
//! by 2,048 spans (`OTEL_BSP_MAX_QUEUE_SIZE`), and by 8 MiB of requests that wait for a collector. A request has at most
//! 512 spans and 4 MiB before compression, and a line of the standard output stays below 256 KiB: what is more makes more
//! of them. Spans beyond the memory, those of the oldest requests where these are too many, those that are too long by
//! themselves, and those that a collector rejects, are dropped, and a warning of the flush has their number. No failure of the export reaches the invocation.
//!
//! # The root span
//!
//! It has the name of the function; that of an HTTP request has the method and the route, and that of a
//! batch `process` and the queue, topic or stream. Names of attributes are those of OpenTelemetry's
//! semantic conventions 1.37.0 for FaaS, HTTP and messaging, among them `faas.invocation_id`,
//! `faas.trigger`, `faas.coldstart` and `aws.lambda.invoked_arn`.
//!
//! A failure sets its status: the name under which Lambda reports the error, which is also `error.type`, and
//! an event `exception` with name and message. Spans of work that a time guard or a lost lease stopped have the
//! status `stopped before its end`, and the name of the guard's error as `error.type`:
//! `Powertools.DeadlineOutOfTime`, or that of idempotent work. That is so for the tasks of `run_spawned`, too, whose spans
//! end after the batch and may go with a later flush, and for the rest of a body that is stopped. At the limit of the
//! function, spans that are still open in other tasks end and are sent: the call that hung is among them. Its later end is
//! not sent again.
//!
//! What your own code drops says nothing of that: the losing branch of a `select!`, the work in a `timeout` of tokio,
//! a task that is aborted or whose `JoinSet` is dropped, also where a guard drops that set. Nor does the rest of a body
//! whose client is gone: there the root span alone has the status `dropped before its end`. Set
//! `otel.status_code` where such an end is a failure.
//!
//! The first event's trace has a span `init`, with those of warm-ups and of your own code before the event. It
//! ends when the function asks for events, and after a restore from a snapshot it begins with that: spans that
//! ended before are not sent, and one that was open begins with it. A warm-up that fails has its error as the status. What
//! runs on in tasks after `init` is under it as well, and lies after its end. Which trace that will be is not known before: until
//! then the lines of the logs have no ids, and requests no headers.
//!
//! A function takes one value of [`Otel`]: a second one is an error at the start. Of two layers in a
//! subscriber, the second makes no spans, which is a warning.
//!
//! # Parents
//!
//! | event | parent of the root span |
//! |---|---|
//! | HTTP, with a header `traceparent` | the caller |
//! | one record of SQS, SNS or Kafka, or an event of EventBridge, with the trace of its sender | the sender; the invocation's own trace is a link |
//! | several records | that of the header of X-Ray. There are links to the senders, and the first span of each record of SQS and Kafka links to its own |
//! | others | that of the header of X-Ray |
//!
//! The sender of a message is found in the system attribute `AWSTraceHeader`, in the message attributes
//! `traceparent` and `tracestate`, in the headers of these names of Kafka records, and in the members of
//! these names at the top of EventBridge's `detail`. A header that is damaged, too long (1 KiB for X-Ray, 512
//! bytes for W3C), or of another vendor counts as missing; so does what is damaged in one record of several. A header of X-Ray without a parent or a
//! decision keeps its trace.
//!
//! **`Sampled=0` is respected.** Lambda sends it where active tracing is off: then there are no spans. Turn
//! active tracing on (`Tracing: Active`), or set `OTEL_TRACES_SAMPLER=always_on`, or
//! `OTEL_PROPAGATORS=tracecontext`.
//!
//! A span with `parent: None` begins a trace of its own, with a link to the span of the event. It is sent with
//! those of the event, and only if these are sampled, unless `OTEL_TRACES_SAMPLER` decides without the parent.
//!
//! A parent that you set by `OpenTelemetrySpanExt::set_parent` of `tracing-opentelemetry` takes precedence, where the span
//! has not begun: once it was entered, as that of `#[instrument]` is inside of its function, that is an error. The span,
//! those under it, and its log lines and headers are then in that trace, and sampled as that parent is, unless
//! `OTEL_TRACES_SAMPLER` decides without it. They are sent with those of the event.
//!
//! [`outgoing`] has the other direction.
//!
//! # Attributes
//!
//! Values of the fields that the logs [redact](powertools::logging::Logging::redact), and of those in
//! [`Otel::redact`], are `*****`. Strings are searched for these names where they are JSON or the `Debug` form of a value,
//! as in the logs; JSON of which a part was cut is hidden as a whole. Messages of events and errors are not searched.
//! What [`log_event`](powertools::logging::log_event) and
//! [`Logging::event`](powertools::logging::Logging::event) write is for the logs alone. A `LambdaEvent` in a field, as
//! `#[instrument]` records the argument of a handler, is the string `LambdaEvent`. Other arguments leave as they are:
//! `skip` those that should not.
//!
//! A value has at most 16,384 characters, and so have the messages of events and errors. Of a longer one the beginning is
//! sent. `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT` sets another limit, such as that of what stores your spans.
//!
//! Unsigned numbers are numbers, up to the 63 bits that OTLP has. Each name is sent once: of a field that is recorded
//! again the last value is sent.
//!
//! An error in a field, `error = &error as &dyn Error`, has its message under that name, and those of its causes under
//! `error.chain`. Both are sent as `exception.message` and `exception.stacktrace` too, of the event and of its span. The
//! error of a function with `#[instrument(err)]` is an event `exception` and the status of the span. To redact `error` hides
//! all of these; to redact an error in a field of another name, redact `exception` as well.
//!
//! Spans have `code.file.path`, `code.line.number`, `code.module.name` and `target`, and how long they ran and waited
//! as `busy_ns` and `idle_ns`.
//!
//! `faas.instance` is the log stream of the environment; in one that was restored from a snapshot, which has
//! the variables of the snapshot, it is random.
//!
//! # The environment
//!
//! These variables take precedence over code:
//!
//! | variable | sets |
//! |---|---|
//! | `OTEL_SERVICE_NAME`, or else `service.name` in `OTEL_RESOURCE_ATTRIBUTES`, or else `POWERTOOLS_SERVICE_NAME` | the service; by default [`Otel::service`], or else the name of the function |
//! | `OTEL_RESOURCE_ATTRIBUTES` | further attributes of the function |
//! | `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, or else `OTEL_EXPORTER_OTLP_ENDPOINT` | the collector; `/v1/traces` is added to the second |
//! | `OTEL_EXPORTER_OTLP_HEADERS` | headers of requests |
//! | `OTEL_EXPORTER_OTLP_TIMEOUT` | the time of a request in milliseconds |
//! | `OTEL_EXPORTER_OTLP_COMPRESSION` | `gzip` or `none` |
//! | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | `parentbased_always_on` (the default), `always_on`, `always_off`, `traceidratio`, and with `parentbased_` in front |
//! | `OTEL_PROPAGATORS` | `tracecontext` and `xray`, the default, or one of them, or `none`; `baggage` has no effect |
//! | `OTEL_BSP_MAX_QUEUE_SIZE` | the most spans in memory |
//! | `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT`, or else `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT` | the most characters of a value |
//! | `OTEL_SDK_DISABLED`, `OTEL_TRACES_EXPORTER` | `true` and `none` turn the export off |
//! | `AWS_ENDPOINT_URL_XRAY` | another endpoint of X-Ray |
//! | `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT` | `true` needs the URL of such an endpoint of X-Ray in `AWS_ENDPOINT_URL_XRAY`: without it no span is sent, which is a warning |
//!
//! `HEADERS`, `TIMEOUT`, `COMPRESSION` and `PROTOCOL` exist with `OTLP_TRACES_` too. The protocol is
//! `http/protobuf`. Variables that cannot be read have no effect, and one warning at the start names them.
//! If the URL of the collector is invalid, or is `https` without the feature for it, or if a variable of a proxy or of
//! certificates cannot be read, no span is sent, which is a warning too. Warnings have the target `powertools_otel`; where there are no logs, and no layer of the subscriber writes
//! them, they are lines of the standard error. Proxies and certificates
//! are those of the environment: `HTTPS_PROXY`, `NO_PROXY`, `AWS_CA_BUNDLE`, `SSL_CERT_FILE`.
//!
//! # Features and weight
//!
//! | feature | brings |
//! |---|---|
//! | none | 13 crates in addition to those of `powertools` with `logging`: `opentelemetry`, `opentelemetry_sdk`, `tracing-opentelemetry`, `rand`, `flate2` with `zlib-rs` and what these need. No TLS, no C code |
//! | `tls` | collectors behind `https`: rustls with ring |
//! | `xray` | `tls`, and signatures for X-Ray |
//! | `aws-sdk` | the interceptor for clients of AWS's SDK in [`outgoing`]: 17 crates, which each of these clients has |
//!
//! The 13 crates are those that `cargo tree -p powertools-otel -e normal` lists, apart from this package, and
//! `cargo tree -p powertools --no-default-features --features logging -e normal` does not.
//!
//! This package has versions of its own, since those of OpenTelemetry break often, and needs exactly one
//! version of `powertools`.

mod contents;
mod core;
mod early;
mod export;
mod filter;
mod ids;
mod incoming;
mod lifecycle;
mod numbers;
mod open;
mod otel;
mod propagators;
mod settings;
mod spans;
mod trace;
mod tracer;
mod warning;

pub mod outgoing;

#[doc = include_str!("../docs/follow_a_request.md")]
pub mod guide {}

pub use self::otel::Otel;
pub use self::outgoing::PropagationLayer;
#[cfg(feature = "aws-sdk")]
pub use self::outgoing::SdkInterceptor;

/// The semantic conventions that names of attributes are from.
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.37.0";
