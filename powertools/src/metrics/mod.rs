//! Measures what a function does, as metrics of CloudWatch.
//!
//! ```no_run
//! use lambda_runtime::{Error, LambdaEvent};
//! use powertools::Powertools;
//! use powertools::metrics::{self, Metrics, Namespace, Unit};
//!
//! async fn handle(event: LambdaEvent<String>) -> Result<usize, Error> {
//!     let _timer = metrics::time("Handling");
//!     metrics::count("OrdersAccepted", 1);
//!     metrics::record("OrderSize", event.payload.len(), Unit::Bytes);
//!     Ok(event.payload.len())
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let metrics = Metrics::new().namespace(Namespace::from_static("Shop")).service("orders");
//!     Powertools::new(handle).metrics(metrics).run().await
//! }
//! ```
//!
//! ```json
//! {"_aws":{"Timestamp":1795227998734,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["service"]],"Metrics":[{"Name":"OrdersAccepted","Unit":"Count"},{"Name":"OrderSize","Unit":"Bytes"},{"Name":"Handling","Unit":"Milliseconds"}]}]},"service":"orders","OrdersAccepted":1,"OrderSize":5,"Handling":0.031}
//! ```
//!
//! A line is in the [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html):
//! CloudWatch reads it from the log of the function, and no request is made. The names are those of
//! the Powertools for other languages, so that dashboards fit.
//!
//! | to | use |
//! |---|---|
//! | count | [`count`] |
//! | record a number or a `Duration` | [`record`] |
//! | measure how long something takes | [`time`] |
//! | tell metrics apart, for an invocation or a record | [`dimension`] |
//! | tell single values apart | [`with`](with()) |
//! | find a line again | [`property`] |
//! | write one line for a unit of work | [`MetricSet`] |
//! | have what other crates measure by the facade `metrics` | `Recorder`, with the feature `metrics-recorder` |
//!
//! # When lines are written
//!
//! Values belong to their invocation, in all that works for it: concurrent tasks, tasks that
//! [carry](crate::Invocation::carry) the invocation, records of a batch. Under
//! [`Powertools::metrics`](crate::Powertools::metrics) they are written before the reply, whether the
//! handler succeeded, failed, panicked or was stopped, and for a streamed response at the end of its
//! body. Without it they are written when the [`Invocation`](crate::Invocation) is dropped. What
//! is recorded after that, or outside an invocation, is written at once, and so is the line of a
//! [`MetricSet`]. [`flush`] writes what there is.
//! A thread that writes a full line while the handler ends is not waited for: await such work in the handler.
//!
//! Nothing is written for an invocation that has measured nothing.
//!
//! # Dimensions
//!
//! A value keeps the dimensions that are set when it is recorded, and values with other dimensions are
//! on another line. Those that a record of a batch sets end with the record, at any concurrency.
//! Dimensions set in code for the [process](Metrics::dimension) come first, then those of the
//! event, the record and the value, of which each takes precedence over those before it. `service` is
//! a dimension where the service has a name.
//!
//! # Limits and bad input
//!
//! A line has 100 metrics, 100 different values of each, and 1 MB at most: more of them make more
//! lines. Equal values are written once with their count, where that is shorter:
//! `{"Values":[2],"Counts":[20]}`. The specification does not name that form, which AWS's own writers have,
//! such as `metrique`; a query of the log finds an object there. When 100 names, 100 values of a name, or 100
//! maps of dimensions have come together, their lines are written early.
//!
//! Metrics never fail an invocation. What CloudWatch would not take is dropped alone, with one warning
//! for each name and process:
//!
//! | what | effect |
//! |---|---|
//! | NaN, an infinity, a value beyond 2^360 | the value is dropped |
//! | a [`count`] below zero | the value is dropped |
//! | a metric's name that is blank, longer than 1,024 characters, `_aws`, or has control characters | the value is dropped |
//! | another unit or resolution for a name, in the same set and invocation | the value is dropped |
//! | a `Duration` in a unit that is none of time | the value is dropped |
//! | a metric with the name of one of its dimensions | the value is dropped |
//! | a dimension with a blank name or value, with a control character, or longer than 250 or 1,024 characters | the dimension is dropped |
//! | the 31st dimension, `service` included | the dimension is dropped |
//! | a property with the name of a dimension or metric, or whose value is not valid JSON | the property is dropped |
//! | properties that do not fit a line | all properties of the line are dropped |
//! | a timestamp more than 14 days back or 2 hours ahead | the line is written, CloudWatch ignores it |
//! | no namespace | an error at the start with [`Powertools::metrics`](crate::Powertools::metrics), and from [`Metrics::init`]; without them no line is written |
//! | a namespace that is invalid | `Namespace::from_static` does not compile in a constant, and panics elsewhere; [`parse`](str::parse) returns an error; from a variable without [`Powertools::metrics`](crate::Powertools::metrics) and [`Metrics::init`], it counts as none |
//! | a closed standard output | the line is lost |
//! | a level of Lambda's own setting above INFO, in `AWS_LAMBDA_LOG_LEVEL` | a warning when `Powertools` starts: lines have no level, and Lambda counts JSON without one as INFO and can drop it |
//! | a name, value or property that is not ASCII | it is written; the API of CloudWatch refuses such names and values of dimensions, so that they may be ignored |
//!
//! # The environment
//!
//! Without [`Powertools::metrics`](crate::Powertools::metrics) and [`Metrics::init`], these variables are all
//! settings there are. A missing namespace is then one warning, when the first value is recorded. Warnings go to the
//! standard error where no subscriber is set.
//!
//! | variable | sets | overrides |
//! |---|---|---|
//! | `POWERTOOLS_METRICS_NAMESPACE` | the namespace | [`Metrics::namespace`] |
//! | `POWERTOOLS_SERVICE_NAME` | the dimension `service` | [`Metrics::service`] |
//! | `POWERTOOLS_METRICS_FUNCTION_NAME` | the dimension `function_name` of `ColdStart` | [`Metrics::function_name`] |
//! | `POWERTOOLS_METRICS_DISABLED` | whether nothing is written | |
//! | `POWERTOOLS_DEV` | whether nothing is written, if `POWERTOOLS_METRICS_DISABLED` is not set | |
//!
//! # What it costs
//!
//! Values are kept in memory until the line is written, by one call, like a log line. Memory is reused
//! from one invocation to the next.

mod builder;
mod dimension;
mod environment;
mod error;
mod labels;
mod limits;
mod measure;
mod namespace;
pub(crate) mod observer;
mod problem;
#[cfg(feature = "metrics-recorder")]
mod recorder;
mod settings;
mod store;
mod timer;
mod unit;
mod value;
mod wide;
mod with;

pub use self::builder::Metrics;
pub use self::dimension::Dimension;
pub use self::error::Error;
pub(crate) use self::measure::count_if_measured;
pub use self::measure::{at, count, dimension, flush, property, record, time, with};
pub use self::namespace::Namespace;
#[cfg(feature = "metrics-recorder")]
pub use self::recorder::Recorder;
pub use self::timer::Timer;
pub use self::unit::{Definition, ParseUnitError, Unit};
pub use self::value::Value;
pub use self::wide::{EmitOnDrop, Line, MetricSet};
pub use self::with::With;
#[cfg(feature = "macros")]
#[doc(inline)]
pub use powertools_macros::Metrics;
