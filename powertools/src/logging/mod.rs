//! Writes one flat JSON line for each `tracing` event, with the invocation that it belongs to.
//!
//! ```no_run
//! use lambda_runtime::{Error, LambdaEvent};
//! use powertools::Powertools;
//! use powertools::logging::{Logging, correlation};
//!
//! async fn handle(event: LambdaEvent<String>) -> Result<usize, Error> {
//!     tracing::info!(length = event.payload.len(), "order accepted");
//!     Ok(event.payload.len())
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let logging = Logging::new().service("orders").correlation_id(correlation::EVENT_BRIDGE);
//!     Powertools::new(handle).logging(logging).run().await
//! }
//! ```
//!
//! ```json
//! {"level":"INFO","location":"orders:6","message":"order accepted","timestamp":"2026-11-21T02:32:01.566Z","service":"orders","cold_start":true,"function_name":"orders-fn","function_memory_size":128,"function_arn":"arn:aws:lambda:us-east-1:123456789012:function:orders-fn","function_request_id":"8476a536-e9f4-11e8-9739-2dfe598c3fcd","correlation_id":"7bf73129","xray_trace_id":"1-5759e988-bd862e3fe1be46a994272793","length":3}
//! ```
//!
//! The names are those of the Powertools for other languages, so queries and dashboards fit. A line
//! takes what identifies its invocation from [`Invocation`](crate::Invocation), at every level: in
//! tasks that [carry](crate::Invocation::carry) the invocation, in tasks and threads that enter a
//! span of it, and also when several events are handled concurrently.
//!
//! [`init`] and [`Logging::init`] set up the whole process. [`Logging::layer`] creates a layer for
//! `tracing-subscriber`'s registry, beside layers of other crates. A process has one logging layer:
//! a second one in the same subscriber writes a warning and nothing else.
//!
//! # Fields
//!
//! A line begins with the fields of the process and the invocation. These follow: the [keys of the
//! process](Logging::key), the keys [appended](append) to the invocation, what identifies the record
//! of a batch, the keys appended to that record, the fields of the event, and those of its spans.
//! Where two have one name, the event takes precedence over its spans and an inner span over an outer
//! one; both take precedence over an appended key, and that over a key of the process. The name
//! appears once.
//!
//! | a value | is written as |
//! |---|---|
//! | an integer, up to 128 bits | its exact digits |
//! | a float | a number; NaN and the infinities as the strings `"NaN"`, `"Infinity"` and `"-Infinity"` |
//! | a boolean, a string | itself |
//! | `?value`, `%value` | its `Debug` or `Display` form, as a string |
//! | [`json(value)`](json()) | JSON with its members |
//! | `&error as &(dyn Error + 'static)` | `exception` with its message, `exception_name` with its type if that is known, and `exception_chain` with the messages of its causes |
//!
//! A field of a span is on every line inside it, and `#[instrument]` records whole arguments. So a
//! value longer than 1 KiB is truncated there, and a `LambdaEvent` becomes the string `"LambdaEvent"`: the
//! event is logged only where [`Logging::event`] enables it.
//!
//! A line has one error: the first of its event, or else that of the innermost span that
//! has one. Further errors of an event are strings under the names of their fields. A field that is
//! itself called `exception`, `exception_name` or `exception_chain` gets an underscore beside an
//! error.
//!
//! # Records of a batch
//!
//! Each line of a record has `record` with the identifier under which a failure is reported, `attempt`
//! with the number of deliveries, and `group` with the message group, partition key or partition, if
//! the source has them. Keys and correlation ids that a record sets end with it, at any concurrency;
//! those of the event are on the lines of its records too.
//!
//! A record that fails has a line at WARN with its error. The lines that the
//! [buffer](Logging::buffer) kept for that record are written before it.
//!
//! # Reserved names
//!
//! A field or key with a name of the line's own gets an underscore: `level_`. These are
//! `level`, `location`, `message`, `timestamp`, `service`, `sampling_rate`, `sampled`,
//! `cold_start`, `function_name`, `function_memory_size`, `function_arn`, `function_request_id`,
//! `correlation_id`, `xray_trace_id`, `tenant_id` and `truncated`; and `trace_id` and `span_id`, which
//! lines have where `powertools-otel` makes spans.
//!
//! `location` is the target of the event, which is the module's path unless the event names
//! another, and the line in the source.
//!
//! # The environment
//!
//! | variable | sets | overrides |
//! |---|---|---|
//! | `AWS_LAMBDA_LOG_LEVEL` | the level of Lambda's own setting, `TRACE` to `FATAL`: only sampling and the buffer write lines below it, which Lambda then drops | everything |
//! | `POWERTOOLS_LOG_LEVEL` | the level, `TRACE` to `FATAL`, or `SILENT` for none | `LOG_LEVEL`, [`Logging::level`], and a level without a target in [`Logging::filter`] |
//! | `LOG_LEVEL` | the level, if `POWERTOOLS_LOG_LEVEL` is not set | the same settings in code |
//! | `POWERTOOLS_LOG_FILTER` | the levels of single targets | [`Logging::filter`] |
//! | `POWERTOOLS_LOG_FORMAT` | `json` or `text` | [`Logging::format`] |
//! | `POWERTOOLS_SERVICE_NAME` | the service | [`Logging::service`] |
//! | `POWERTOOLS_LOGGER_SAMPLE_RATE` | the share of invocations that write DEBUG lines, from 0 to 1 | [`Logging::sample_rate`] |
//! | `POWERTOOLS_LOGGER_LOG_EVENT` | whether [`Powertools`](crate::Powertools) writes each event | [`Logging::event`] |
//! | `POWERTOOLS_DEV` | whether JSON is indented, for development | |
//!
//! A warning of the logs themselves, such as one about a level of Lambda that is stricter than the
//! function's own, is written at every level but FATAL.
//!
//! `AWS_LAMBDA_LOG_FORMAT` is not read: it is `Text` by default, and JSON is the purpose of these
//! lines. `RUST_LOG` is not read either.
//!
//! DEBUG and TRACE mean your code. The crates `hyper`, `h2`, `rustls`, `tower`, their helpers, the
//! runtime and the AWS SDK stay at INFO unless the [filter](Logging::filter) names them. The
//! identifiers of access keys are hidden in the SDK's lines.
//!
//! # Errors and panics
//!
//! Under [`Powertools::logging`](crate::Powertools::logging) the error of a handler has one line,
//! with its causes, the name that Lambda reports, and its `stack_trace` if it is an `anyhow::Error`
//! that captured one (`RUST_BACKTRACE=1`). The runtime's own line about it is dropped. The same holds
//! for [`observe`], [`LoggingLayer`] and `#[logged]` under `lambda_runtime::run`, or any runtime with
//! [`InvocationLayer`](crate::invocation::InvocationLayer) or `lambda_runtime`'s `TracingLayer`: without these,
//! the invocation of the runtime's line is unknown, and it is written too.
//!
//! A panic anywhere in the process has a line with its `panic_location`. Then the previous panic hook
//! runs: the standard one writes to the standard error. The line has no fields of spans, and other
//! layers do not see it, since one of them may hold a lock while it panics.
//!
//! Logging never fails an invocation. A line that cannot be written, as to a closed pipe or a full
//! disk, is lost. Text that `print!` leaves without a line break precedes the next line, in the
//! same one: use `println!`.
//!
//! # The `log` facade
//!
//! Libraries that use the crate `log` have no lines until `forward_log` is called, which the feature
//! `log` brings.
//!
//! # What it costs
//!
//! A line of numbers, strings and the like allocates nothing once its thread has written one like it,
//! and takes a small part of what the JSON of `tracing-subscriber` takes; `cargo bench --bench
//! logging` measures both. A [`json`](json()) value becomes a string of its own first, and a line
//! that is too long is written twice. An event that is not written costs as little as without this
//! layer, unless sampling or the buffer must look at it.

mod append;
mod builder;
mod emit;
mod environment;
mod error;
#[cfg(feature = "log")]
mod facade;
mod filter;
mod handler;
mod layer;
mod line;
pub(crate) mod observer;
mod output;
mod panics;
mod service;
mod settings;
pub(crate) mod start;
mod state;
#[cfg(feature = "__otel")]
pub(crate) mod traced;
#[cfg(not(feature = "__otel"))]
#[path = "untraced.rs"]
mod traced;
pub(crate) mod watch;

pub mod correlation;

pub use self::append::{KeyGuard, append, append_scoped, remove, set_correlation_id};
pub use self::builder::{Logging, init};
pub use self::error::Error;
#[cfg(feature = "log")]
pub use self::facade::forward_log;
pub use self::filter::levels::{Level, ParseLevelError};
pub use self::handler::{log_event, observe, set_correlation_id_from};
pub use self::line::format::Format;
pub use self::line::json::{Json, json};
pub use self::panics::log_panics;
pub use self::service::{LoggingLayer, LoggingService, OnEvent};
