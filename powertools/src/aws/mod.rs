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
//!             records.run("charge", &order, async { Ok::<_, Error>(format!("charged {order}")) }).await
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
//! # SnapStart
//!
//! After a restore [`config`] loads anew, with an HTTP client of its own: the connections of the old
//! one are closed. A client that `main` made keeps the old one, and its first calls may fail and be
//! tried again; one from [`#[init_once]`](macro@crate::init_once) is made anew, too. This works in
//! functions that [`Powertools`](crate::Powertools) runs: it is who learns of the restore. In others
//! all of them keep what they have.
//!
//! # Cryptography
//!
//! The features `tls-ring` (which `aws` brings), `tls-aws-lc` and `tls-fips` choose what makes the
//! TLS connections. When more than one is on, FIPS is used before AWS-LC before ring; to build only
//! one, take its feature and not `aws`. [`tls`] says which one it is.
//!
//! What they cost a function with an idempotency store, without a warm-up: medians of 40 starts on
//! two shared cores of a server (x86-64), with the certificates of the system and no latency on the
//! way to DynamoDB. On Lambda the CPU time is stretched by the share of a processor that the
//! function has: 128 MB have a fourteenth of one.
//!
//! | | first invocation | second | CPU until the first response | memory | binary |
//! |---|--:|--:|--:|--:|--:|
//! | `tls-ring` | 2.5 ms | 1.3 ms | 9.0 ms | 12.1 MB | 10.1 MB |
//! | the same, with a warm-up | 0.9 ms | 1.2 ms | 10.0 ms | 12.4 MB | 10.2 MB |
//! | `tls-aws-lc` | 34.9 ms | 1.3 ms | 41.9 ms | 13.5 MB | 12.2 MB |
//! | the same, with a warm-up | 1.0 ms | 1.3 ms | 41.6 ms | 14.0 MB | 12.3 MB |
//! | `tls-aws-lc`, without its own entropy | 2.8 ms | 1.3 ms | 9.5 ms | 13.3 MB | 12.2 MB |
//! | `tls-fips` | 26.0 ms | 1.3 ms | 43.3 ms | 14.5 MB | 12.6 MB |
//! | by hand, with all that the SDK brings by default | 33.7 ms | 1.3 ms | 40.8 ms | 15.0 MB | 15.6 MB |
//!
//! **ring** is the default, because the first connection of a new environment is on the way of a
//! request, and is paid for by the share of a processor that the function's memory buys. It is safe:
//! the protocol (TLS 1.2 and 1.3) and the checks of certificates are the same code with all three,
//! rustls; ring supplies the primitives, and takes its random numbers from the operating system.
//! What it does not have: a key exchange that withstands quantum computers, and a FIPS validation.
//!
//! **AWS-LC** is the SDK's own default. It offers the post-quantum exchange X25519MLKEM768, which
//! matters where what is sent today must still be secret in decades. It gathers entropy of its own
//! from the jitter of the processor at the first random byte, which is most of its price. The build
//! variable `AWS_LC_SYS_NO_JITTER_ENTROPY=1` leaves that to the operating system, as ring does:
//!
//! ```toml
//! # .cargo/config.toml
//! [env]
//! AWS_LC_SYS_NO_JITTER_ENTROPY = "1"
//! ```
//!
//! **FIPS** is for who must use a validated module, and needs Go and CMake to build. It covers the
//! TLS connections. The signatures of requests (HMAC-SHA-256) are made by other code of the SDK,
//! outside of the module; and the endpoints that AWS validates are asked for by
//! `AWS_USE_FIPS_ENDPOINT=true`. A function that must not run without says so in its `main`, see
//! [`tls`].
//!
//! What is left can be paid before the first event:
//! [`DynamoDbStore::warm_up`](crate::idempotency::DynamoDbStore::warm_up) reads a record that does
//! not exist, in a [warm-up](crate::Powertools::warm_up):
//!
//! ```no_run
//! # use lambda_runtime::{Error, LambdaEvent};
//! # use powertools::idempotency::DynamoDbStore;
//! # use powertools::{Powertools, aws};
//! # async fn handle(_: LambdaEvent<String>) -> Result<(), Error> { Ok(()) }
//! # async fn run() -> Result<(), Error> {
//! let client = aws_sdk_dynamodb::Client::new(aws::config().await);
//! let store = DynamoDbStore::new(client, "idempotency");
//! Powertools::new(handle)
//!     .warm_up("table", move || {
//!         let store = store.clone();
//!         async move { store.warm_up().await }
//!     })
//!     .run()
//!     .await
//! # }
//! ```

mod config;
mod http;
mod tls;

pub use self::config::{config, loader};
pub use self::tls::{Tls, tls};
