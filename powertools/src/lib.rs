//! A toolkit for Rust functions on AWS Lambda that have to be correct.
//!
//! Lambda delivers events more than once, and stops a function at its timeout without notice. This
//! crate is for handlers that charge cards and write orders all the same.
//!
//! ```no_run
//! use lambda_runtime::{Error, LambdaEvent};
//! use powertools::idempotency::{Idempotency, MemoryStore};
//! use powertools::{Powertools, idempotent};
//!
//! type Charges = Idempotency<MemoryStore>; // in production: Idempotency<DynamoDbStore>
//!
//! #[idempotent(key = event.payload, with = idempotency, name = "orders.charge")]
//! async fn charge(idempotency: Charges, event: LambdaEvent<String>) -> Result<String, Error> {
//!     Ok(format!("charged order {}, once", event.payload))
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let idempotency = Idempotency::new(MemoryStore::new())?;
//!     Powertools::new(move |event| charge(idempotency.clone(), event)).run().await
//! }
//! ```
//!
//! # Modules
//!
//! - [`Powertools`] runs a handler with the standard stack.
//! - [`Invocation`] describes the event in progress, in every function that the handler calls.
//! - [`deadline`](mod@deadline) stops work before the invocation's timeout.
//! - [`idempotency`] runs work once for each key.
//! - [`http`] reads the requests of every front end, and answers them: errors as problems, repeated
//!   requests once.
//! - `custom_resource` answers CloudFormation for resources that templates do not have.
//! - [`events`] has the events of AWS services as types, and the keys that identify them.
//! - [`batch`](mod@batch) processes the records of a queue or a stream, with partial failures.
//! - `aws` has one configuration and one HTTP client for all AWS clients.
//! - [`init`] initialises values once for each execution environment, before the first event if
//!   possible.
//! - [`logging`] writes one JSON line for each `tracing` event, with its invocation.
//! - [`metrics`] measures what a function does, as metrics of CloudWatch.
//! - `parameters` has values from outside, typed and cached: parameters, secrets, configurations.
//! - `feature_flags` evaluates rules in a document for a context.
//! - `validation` checks the rules of what a function receives and returns.
//! - [`error`] gives a function's own errors the names under which Lambda reports them.
//! - `testing` runs functions against a fake Lambda service and simulated event sources.
//!
#![cfg_attr(feature = "full", doc = "The [guide](crate::guide) has a page for each task.")]
#![cfg_attr(not(feature = "full"), doc = "The `guide` module has a page for each task.")]
//!
//! Every module has one error type. Its `error_type` is the fixed name under which Lambda reports
//! the error, so that state machines and alarms can match it.
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `batch` | yes | batches of SQS, Kinesis, DynamoDB streams and Kafka |
//! | `deadline` | yes | time guards, and one around the handler in [`Powertools`] |
//! | `idempotency` | yes | the engine and the store in memory |
//! | `init` | yes | values that are initialised once, warm-ups, SnapStart and shutdown hooks |
//! | `logging` | yes | the layer for `tracing-subscriber`, without its own formatters |
//! | `env-filter` | no | filters of lines that name spans and their fields; brings regular expressions, 560 kB of a program |
//! | `log` | no | lines for the records of the facade `log`; brings `tracing-log` |
//! | `metrics` | yes | metrics of CloudWatch, in its embedded metric format |
//! | `metrics-recorder` | no | a recorder for the facade of the crate `metrics`; brings that crate |
//! | `macros` | yes | the attributes [`idempotent`](macro@idempotent), [`batch`](macro@batch), [`deadline`](macro@deadline), [`init_once`](macro@init_once), [`logged`](macro@logged), and the derives [`LambdaError`](macro@LambdaError) and `metrics::Metrics` |
//! | `avro`, `protobuf` | no | `batch`, and Kafka values in Avro or Protocol Buffers: `apache-avro`, `prost` |
//! | `jmespath` | no | keys by JMESPath, for events without a type |
//! | `dynamodb` | no | the store on DynamoDB, and a source of `parameters`: `aws-sdk-dynamodb`, without a TLS stack |
//! | `dynamodb-lean` | no | the same store without the AWS SDK, with TLS by ring: `idempotency::LeanClient` |
//! | `redis` | no | the store on Redis and Valkey, with TLS by ring: `idempotency::RedisStore`; no AWS SDK |
//! | `events` | no | `batch`, and typed events that nest: SNS, EventBridge, S3, CloudWatch Logs, schedules; the natural keys of HTTP requests |
//! | `http` | no | HTTP functions: requests and responses of every front end, problems, the `Idempotency-Key` header, webhooks; brings `lambda_http` |
//! | `custom-resources` | no | custom resources of CloudFormation, with TLS by ring |
//! | `schema-registry` | no | the schemas of Kafka values from a registry of Confluent, with TLS by ring |
//! | `aws-lambda-events` | no | conversions from the types of `aws_lambda_events`, and their natural keys; brings that crate and `chrono` |
//! | `parameters` | no | typed values from outside with one cache; files, variables and AWS's local extensions |
//! | `ssm`, `secrets`, `appconfig` | no | its default sources in AWS: one SDK crate each, and `aws` |
//! | `feature-flags` | no | `parameters`, and feature flags with the Python toolkit's rules or in AppConfig's format; brings `jiff` with its time zones, 560 kB of a program |
//! | `aws` | no | one SDK configuration and HTTP client for all AWS clients; brings `tls-ring` |
//! | `tls-ring`, `tls-aws-lc`, `tls-fips` | no | the cryptography of `aws`; FIPS takes precedence over AWS-LC, and AWS-LC over ring |
//! | `validate-garde`, `validate-jsonschema` | no | `validation` by the crate `garde`, and by JSON Schema: `jsonschema`, which brings 60 crates, without those for the network |
//! | `test-util` | no | the testing module |
//! | `full` | no | everything but `tls-aws-lc` and `tls-fips` |
//!
//! The default features bring no AWS SDK, no TLS and no C code.

#![cfg_attr(docsrs, feature(doc_cfg))]
// The lower modules do not know which of the others are enabled.
#![cfg_attr(not(feature = "full"), allow(dead_code, unreachable_pub, unused_imports))]

pub mod error;
pub mod events;
pub mod invocation;
pub mod process;
pub mod runtime;

#[cfg(all(
    any(
        feature = "__otel",
        feature = "__outside",
        feature = "dynamodb",
        feature = "parameters",
        feature = "redis"
    ),
    not(any(feature = "tls-ring", feature = "tls-aws-lc", feature = "tls-fips"))
))]
mod aws;
#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc", feature = "tls-fips"))]
pub mod aws;
#[cfg(feature = "batch")]
pub mod batch;
#[cfg(feature = "custom-resources")]
pub mod custom_resource;
#[cfg(not(feature = "deadline"))]
mod deadline;
#[cfg(feature = "deadline")]
pub mod deadline;
#[cfg(feature = "feature-flags")]
pub mod feature_flags;
#[cfg(feature = "full")]
pub mod guide;
#[cfg(feature = "idempotency")]
pub mod http;
#[cfg(feature = "idempotency")]
pub mod idempotency;
#[cfg(feature = "init")]
pub mod init;
#[cfg(feature = "logging")]
pub mod logging;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "parameters")]
pub mod parameters;
#[cfg(feature = "test-util")]
pub mod testing;
#[cfg(any(feature = "http", feature = "validate-garde", feature = "validate-jsonschema"))]
pub mod validation;

#[doc(hidden)]
pub mod macro_support;

mod carries;
mod clock;
mod environment;
mod hex;
mod json;
mod path;

pub use crate::carries::Carries;
pub use crate::clock::Clock;
#[cfg(feature = "deadline")]
#[doc(inline)]
pub use crate::deadline::Deadline;
#[doc(inline)]
pub use crate::error::lambda_error::LambdaError;
#[cfg(feature = "init")]
#[doc(inline)]
pub use crate::init::InitOnce;
#[doc(inline)]
pub use crate::invocation::DurableExecution;
pub use crate::invocation::description::Invocation;
#[doc(inline)]
pub use crate::runtime::stack::Powertools;

#[cfg(feature = "macros")]
pub use powertools_macros::LambdaError;
#[cfg(all(feature = "macros", feature = "batch"))]
pub use powertools_macros::batch;
#[cfg(all(feature = "macros", feature = "deadline"))]
pub use powertools_macros::deadline;
#[cfg(all(feature = "macros", feature = "idempotency"))]
pub use powertools_macros::idempotent;
#[cfg(all(feature = "macros", feature = "init"))]
pub use powertools_macros::init_once;
#[cfg(all(feature = "macros", feature = "logging"))]
pub use powertools_macros::logged;

/// The examples of the README, as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
