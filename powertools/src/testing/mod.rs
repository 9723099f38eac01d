//! Tests functions without Lambda: the real runtime loop, invocations, events, and a clock to move.
//!
//! [`FakeRuntime`] is a fake of the Lambda service. The function runs as it would there, on the
//! real `lambda_runtime`, and what Lambda would return to a caller is an [`Outcome`]:
//!
//! ```
//! use lambda_runtime::{Error, LambdaEvent, service_fn};
//! use powertools::testing::FakeRuntime;
//! use serde_json::{Value, json};
//!
//! async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
//!     Ok(json!({ "hello": event.payload["name"] }))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let lambda = FakeRuntime::new();
//! let _function = lambda.run(lambda_runtime::run(service_fn(handle)));
//!
//! let outcome = lambda.invoke(json!({ "name": "Ada" })).await;
//! assert_eq!(outcome.json::<Value>(), json!({ "hello": "Ada" }));
//! # }
//! ```
//!
//! | to test | use |
//! |---|---|
//! | a function in this process, with the whole runtime loop | [`FakeRuntime::run`] |
//! | a binary as it is deployed, including when it is killed | [`FakeRuntime::spawn`] |
//! | a handler alone, called as a function | [`event`] |
//! | code below the handler that uses the [`Invocation`](crate::Invocation) | [`invocation`] |
//! | anything that depends on the time of day | [`ManualClock`] |
//! | that no record of a queue or stream is lost, even if functions die | [`EventSource`] |
//! | that the result of idempotent work can be replayed | [`assert_replays`], [`assert_replays_with`] |
//! | what a function measures | [`metrics`](metrics()) |
//! | a handler with the events of a queue, a stream or an API | [`events`] |

pub mod events;
#[doc(hidden)]
pub mod in_process;

mod clock;
mod event_source;
mod fake_runtime;
mod identifiers;
mod invocation;

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "idempotency")]
mod replays;
#[cfg(feature = "idempotency")]
pub mod store_suite;

pub use self::clock::ManualClock;
pub use self::event_source::{
    Delivery, Effects, End, EventSource, Fate, Happening, History, Point, Received, Sqs, Step,
    Stream,
};
pub use self::fake_runtime::{
    Event, FakeRuntime, FunctionProcess, FunctionTask, Outcome, Pending, Response,
};
pub use self::invocation::{InvocationBuilder, event, invocation};
#[cfg(feature = "metrics")]
pub use self::metrics::{CapturedMetrics, MetricLine, MetricValues, metrics};
#[cfg(feature = "idempotency")]
pub use self::replays::{assert_replays, assert_replays_with};
