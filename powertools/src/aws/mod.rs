//! One configuration and one HTTP client for all AWS clients of a function.
//!
//! ```no_run
//! use aws_sdk_dynamodb::Client;
//! use lambda_runtime::{Error, LambdaEvent};
//! use powertools::idempotency::{DynamoDbStore, Idempotency};
//! use powertools::{Powertools, aws};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let client = Client::new(aws::config().await);
//!
//!     let store = DynamoDbStore::new(client, "idempotency");
//!     let records = Idempotency::new(store)?;
//!     Powertools::new(move |event: LambdaEvent<String>| {
//!         let records = records.clone();
//!         async move {
//!             let order = event.payload;
//!             records.run("charge", &order, async { Ok::<_, Error>("charged") }).await.map(drop)
//!         }
//!     })
//!     .run()
//!     .await
//! }
//! ```
//!
//! Clients of all services take the same configuration, in any number: they share its connections,
//! certificates and credentials. Depend on a service's crate without its default features, which
//! would build a second TLS stack that nothing uses:
//!
//! ```toml
//! aws-sdk-s3 = { version = "1", default-features = false, features = ["rt-tokio"] }
//! ```
//!
//! # Limits
//!
//! The SDK waits for an answer for ever, and Lambda then ends the function at its timeout. A client
//! from here gives up earlier, with an error that a handler can still report:
//!
//! | what | limit |
//! |---|---|
//! | a connection, with its TLS handshake | 1 s |
//! | one attempt | 3 s |
//! | one call, with all its attempts and the pauses between them | 10 s |
//!
//! A call has three attempts, as the SDK and its variables (`AWS_MAX_ATTEMPTS`,
//! `AWS_RETRY_MODE`) say. What takes longer by its nature, such as a call of a model or the upload
//! of a large object, needs longer limits for its own client:
//!
//! ```no_run
//! # async fn example() {
//! use std::time::Duration;
//! use aws_config::timeout::TimeoutConfig;
//! use aws_sdk_dynamodb::config::Builder;
//! use powertools::aws;
//!
//! let timeouts = TimeoutConfig::builder()
//!     .operation_attempt_timeout(Duration::from_secs(60))
//!     .operation_timeout(Duration::from_secs(120));
//! let config = Builder::from(aws::config().await).timeout_config(timeouts.build());
//! let patient = aws_sdk_dynamodb::Client::from_conf(config.build());
//! # }
//! ```
//!
//! A client with another limit for connecting or reading has connections of its own; the limits on
//! attempts and calls leave them shared. [`loader`] changes limits for all clients. The limits of
//! [`DynamoDbStore`](crate::idempotency::DynamoDbStore) are its own and follow what is left of the
//! invocation.
//!
//! # Where it finds things
//!
//! On Lambda, region and credentials come from the environment, and nothing is asked for over the
//! network. A function with SnapStart gets its credentials from the endpoint that Lambda names
//! (`AWS_CONTAINER_CREDENTIALS_FULL_URI`). Anywhere else it is as with the SDK: the variables, then
//! the profile in `~/.aws`, the token of a web identity, the container, the instance. Where there
//! is neither a region nor a profile, as on a laptop, asking the instance takes seconds and fails:
//! set `AWS_REGION`, or `AWS_EC2_METADATA_DISABLED=true`. Profiles that sign in by SSO, by a program
//! or by `aws login` need a feature of `aws-config`: `sso`, `credentials-process`,
//! `credentials-login`. They are off since no function on Lambda uses them.
//!
//! `AWS_ENDPOINT_URL` leads to another endpoint, such as an emulator, and `SSL_CERT_FILE` to other
//! trusted certificates than those of the system.
//!
//! Requests name `powertools-rust-<version>` as their application, which can be seen in CloudTrail;
//! `AWS_SDK_UA_APP_ID` gives another name.
//!
//! # Cryptography
//!
//! The features `tls-ring` (which `aws` brings), `tls-aws-lc` and `tls-fips` choose what makes the
//! TLS connections. When more than one is on, FIPS is used before AWS-LC before ring; to build only
//! one, take its feature and not `aws`. [`tls`] says which one it is.

mod config;
mod http;
mod tls;

pub use self::config::{config, loader};
pub use self::tls::{Tls, tls};
