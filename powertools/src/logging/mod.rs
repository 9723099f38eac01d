//! One flat JSON line for each event of `tracing`, which says the invocation that it belongs to.
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
//! The names are those of the Powertools for other languages, so queries and dashboards fit. What
//! the line says of its invocation it takes from [`Invocation`](crate::Invocation): it is there at
//! every level, in tasks that [carry](crate::Invocation::carry) the invocation, and right when
//! several events are handled at once.
//!
//! [`init`] and [`Logging::init`] set up the whole process. [`Logging::layer`] makes a layer for
//! `tracing-subscriber`'s registry, to stand among others.
//!
//! # Fields
//!
//! Behind what the line says of the process and the invocation come the [keys of the
//! process](Logging::key), the keys that are [appended](append) to the invocation, the fields of
//! the event and those of the spans around it. Where two have one name, the event goes over its
//! spans, an inner span over an outer one, both over an appended key and that over a key of the
//! process; the name stands there once.
//!
//! | a value | is written as |
//! |---|---|
//! | an integer, up to 128 bits | its exact digits |
//! | a float | a number; NaN and the infinities as the texts `"NaN"`, `"Infinity"` and `"-Infinity"` |
//! | a boolean, a text | itself |
//! | `?value`, `%value` | its `Debug` or `Display` form, as a text |
//! | [`json(value)`](json()) | JSON with its members |
//! | `&error as &(dyn Error + 'static)` | `exception` with its message, `exception_name` with its type where that is known, and `exception_chain` with the messages of its causes |
//!
//! What a line says of an error is all of one error: the first of its event, or else the one of the
//! innermost span that has one. Of several errors in one event, the others are texts under the names
//! of their fields; and a field that is itself called `exception`, `exception_name` or
//! `exception_chain` gets an underscore behind an error.
//!
//! # Reserved names
//!
//! A field or key that has a name of the line's own gets an underscore: `level_`. These are
//! `level`, `location`, `message`, `timestamp`, `service`, `sampling_rate`, `sampled`,
//! `cold_start`, `function_name`, `function_memory_size`, `function_arn`, `function_request_id`,
//! `correlation_id`, `xray_trace_id`, `tenant_id` and `truncated`.
//!
//! `location` is the target of the event, which is the module's path unless the event names
//! another, and the line in the source.
//!
//! # The environment
//!
//! | variable | says | goes over |
//! |---|---|---|
//! | `AWS_LAMBDA_LOG_LEVEL` | the level of Lambda's own setting, `TRACE` to `FATAL`: nothing below it is written but what sampling and the buffer write, which Lambda then drops | everything |
//! | `POWERTOOLS_LOG_LEVEL` | the level | [`Logging::level`], and a level without a target in [`Logging::filter`] |
//! | `POWERTOOLS_LOG_FILTER` | the levels of single targets | [`Logging::filter`] |
//! | `POWERTOOLS_LOG_FORMAT` | `json` or `text` | [`Logging::format`] |
//! | `POWERTOOLS_SERVICE_NAME` | the service | [`Logging::service`] |
//! | `POWERTOOLS_LOGGER_SAMPLE_RATE` | the share of invocations that write DEBUG lines | [`Logging::sample_rate`] |
//! | `POWERTOOLS_LOGGER_LOG_EVENT` | whether [`Powertools`](crate::Powertools) writes each event | [`Logging::event`] |
//! | `POWERTOOLS_DEV` | whether JSON is indented, for people who develop a function | |
//!
//! A warning that the logs themselves have, such as one about a level of Lambda that is stricter than
//! the function's own, is written at every level but FATAL.
//!
//! `AWS_LAMBDA_LOG_FORMAT` is not read: it says `Text` wherever nobody chose, and what these lines
//! are for is JSON. `RUST_LOG` is not read either.
//!
//! # Errors and panics
//!
//! Under [`Powertools::logging`](crate::Powertools::logging) the error of a handler has one line,
//! with its causes and the name that Lambda is told; the runtime's own line about it is dropped. So
//! it is with [`observe`], [`LoggingLayer`] and `#[logged]` under `lambda_runtime::run`, or any
//! runtime with [`InvocationLayer`](crate::InvocationLayer) or `lambda_runtime`'s `TracingLayer`:
//! without these, nothing tells which invocation the runtime's line is about, and it is written too.
//!
//! A panic anywhere in the process has a line with its `panic_location`, and then the panic hook that
//! was there before does its work: the standard one writes to the standard error.
//!
//! Logging never fails an invocation. A line that cannot be written, as to a closed pipe or a full
//! disk, is lost. What `print!` leaves without a line break stands in front of the next line, in the
//! same one: use `println!`.
//!
//! # What it costs
//!
//! A line of numbers, texts and the like allocates nothing once its thread has written one like it,
//! and takes a small part of what the JSON of `tracing-subscriber` takes; `cargo bench --bench
//! logging` measures both. A [`json`](json()) value is made into a text of its own first, and a line
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
mod panics;
mod service;
mod settings;
mod start;
mod state;
pub(crate) mod watch;
mod writer;

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
