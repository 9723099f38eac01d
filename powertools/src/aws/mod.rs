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
//!     let idempotency = Idempotency::new(DynamoDbStore::new(client, "idempotency"))?;
//!     Powertools::new(move |event: LambdaEvent<String>| {
//!         let idempotency = idempotency.clone();
//!         async move {
//!             let order = event.payload;
//!             let charge = async { Ok::<_, Error>(format!("charged {order}")) };
//!             idempotency.run("charge", &order, charge).await
//!         }
//!     })
//!     .run()
//!     .await
//! }
//! ```
//!
//! The clients of all services accept this configuration. They share its connections, certificates
//! and credentials. Depend on the crate of a service without its default features, which would
//! build a second TLS stack that is never used:
//!
//! ```toml
//! aws-sdk-s3 = { version = "1", default-features = false, features = ["rt-tokio"] }
//! ```
//!
//! # Limits
//!
//! By default, the SDK waits for a response without a limit, and Lambda then ends the function at
//! its timeout. A client with this configuration gives up earlier, with an error that a handler can
//! still report:
//!
//! | what | limit |
//! |---|---|
//! | a connection, including its TLS handshake | 1 s |
//! | one attempt | 3 s |
//! | one call, including all attempts and the pauses between them | 10 s |
//!
//! A call has three attempts, or what the SDK's variables (`AWS_MAX_ATTEMPTS`, `AWS_RETRY_MODE`)
//! set. Calls that take longer by nature, such as the inference of a model or the upload of a large
//! object, need a client with longer limits:
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
//! A client with another limit for connecting or reading has its own connections. The limits on
//! attempts and calls do not affect the sharing. [`builder`] changes limits for all clients.
//! [`DynamoDbStore`](crate::idempotency::DynamoDbStore) has its own limits, which follow the
//! remaining time of the invocation.
//!
//! # Region, credentials and endpoints
//!
//! [`config`] reads the environment's variables alone: those of Lambda, and all others that the SDK
//! defines. It opens no files and makes no network calls. Credentials are `AWS_ACCESS_KEY_ID` and
//! `AWS_SECRET_ACCESS_KEY`, or those of the endpoint in `AWS_CONTAINER_CREDENTIALS_FULL_URI`, which
//! functions with SnapStart and containers have. From there they are refreshed before they expire.
//!
//! The SDK's whole chain also reads profiles in `~/.aws`, a web identity token and the instance. It
//! is one line away, as for a laptop:
//!
//! ```no_run
//! # fn example() -> Result<(), powertools::aws::Error> {
//! use powertools::aws;
//!
//! aws::load_with(|| aws::loader().load())?;
//! # Ok(()) }
//! ```
//!
//! Without a region and a profile, that chain requests instance metadata, which takes seconds and
//! fails: set `AWS_REGION` or `AWS_EC2_METADATA_DISABLED=true`. Profiles that sign in by SSO, by a
//! program or by `aws login` need the features `sso`, `credentials-process` or `credentials-login` of
//! `aws-config`.
//!
//! `AWS_ENDPOINT_URL` sets another endpoint, such as an emulator, and `AWS_ENDPOINT_URL_DYNAMODB`
//! that of one service.
//!
//! Requests have `powertools-rust-<version>` as their application name, which CloudTrail shows;
//! `AWS_SDK_UA_APP_ID` overrides it.
//!
//! # Certificates
//!
//! Reading the certificates of a system is half of the instructions of a start. For the endpoints of
//! AWS, whose names end in `.amazonaws.com` or `.api.aws`, the client therefore trusts the five roots
//! of [Amazon Trust Services](https://www.amazontrust.com/repository/), which are compiled in. For
//! every other host it reads those of the system, at the first request to one:
//!
//! - the regions in China (`.amazonaws.com.cn`), the European Sovereign Cloud (`.amazonaws.eu`) and
//!   isolated regions, which have other authorities;
//! - endpoints of your own.
//!
//! The environment takes precedence, for every host:
//!
//! | variable | what is trusted |
//! |---|---|
//! | `AWS_CA_BUNDLE` | the certificates in this file alone; if none can be read, no server at all |
//! | `SSL_CERT_FILE`, `SSL_CERT_DIR` | those in this file or folder alone |
//! | a variable that names a proxy | those of the system |
//!
//! Code takes precedence over both, with [`http_client`] and [`Roots`].
//!
//! Compiled-in roots age with the binary. Those of Amazon are valid until 2037 and later. If a new
//! one is introduced before, AWS announces it long in advance, and a function needs a newer version
//! of this crate, or [`Roots::System`] and an updated system. The data endpoints of AWS IoT without
//! `-ats` in their names have an older authority, and need [`Roots::System`] too.
//!
//! # Proxies
//!
//! The client reads the variables that the SDK's default client reads, in upper or lower case:
//!
//! | variable | effect |
//! |---|---|
//! | `HTTPS_PROXY` | the proxy for `https` endpoints, which are reached through a `CONNECT` tunnel |
//! | `HTTP_PROXY` | the proxy for `http` endpoints, such as emulators |
//! | `ALL_PROXY` | the proxy for both, where the other variables are not set |
//! | `NO_PROXY` | hosts, domains and networks that are called directly, separated by commas |
//!
//! A value that is not the URL of a proxy has no effect, which is a line at ERROR.
//!
//! The credentials endpoint of SnapStart and the instance metadata are `http` endpoints: with
//! `HTTP_PROXY` or `ALL_PROXY`, add their addresses to `NO_PROXY`. The variables are read when the
//! first client is created, and again after a restore.
//!
//! # SnapStart
//!
//! After a restore, [`config`] loads again, with a new HTTP client, since the connections of the
//! old one are closed. A client that `main` created keeps the old one: its first calls may fail and
//! be retried. A client from [`#[init_once]`](macro@crate::init_once) is created again. Only
//! functions that [`Powertools`](crate::Powertools) runs notice a restore; in others everything
//! stays as it is.
//!
//! # Cryptography
//!
//! The features `tls-ring` (enabled by `aws`), `tls-aws-lc` and `tls-fips` choose the cryptography
//! of the TLS connections. If several are enabled, FIPS takes precedence over AWS-LC, and AWS-LC
//! over ring. To build only one, enable its feature and not `aws`. [`tls`] returns the one in use.
//!
//! The table shows what they cost a function with an idempotency store and no warm-up: medians of
//! 40 starts on two shared cores of a server (x86-64), with the certificates of the system and no
//! network latency to DynamoDB. On Lambda, the CPU time is stretched by the function's share of a
//! processor: at 128 MB that is a fourteenth.
//!
//! | | first invocation | second | CPU until the first response | memory | binary |
//! |---|--:|--:|--:|--:|--:|
//! | `tls-ring` | 2.5 ms | 1.3 ms | 9.0 ms | 12.1 MB | 10.1 MB |
//! | the same, with a warm-up | 0.9 ms | 1.2 ms | 10.0 ms | 12.4 MB | 10.2 MB |
//! | `tls-aws-lc` | 34.9 ms | 1.3 ms | 41.9 ms | 13.5 MB | 12.2 MB |
//! | the same, with a warm-up | 1.0 ms | 1.3 ms | 41.6 ms | 14.0 MB | 12.3 MB |
//! | `tls-aws-lc`, without its own entropy | 2.8 ms | 1.3 ms | 9.5 ms | 13.3 MB | 12.2 MB |
//! | `tls-fips` | 26.0 ms | 1.3 ms | 43.3 ms | 14.5 MB | 12.6 MB |
//! | by hand, with the defaults of the SDK | 33.7 ms | 1.3 ms | 40.8 ms | 15.0 MB | 15.6 MB |
//!
//! **ring** is the default. The first connection of a new environment delays a request, and its CPU
//! time depends on the function's memory. ring is safe: the protocol (TLS 1.2 and 1.3) and the
//! validation of certificates are the same code for all three, rustls. ring supplies the primitives
//! and takes its random numbers from the operating system. It lacks a post-quantum key exchange and
//! a FIPS validation.
//!
//! **AWS-LC** is the SDK's own default. It offers the post-quantum key exchange X25519MLKEM768,
//! which matters if today's traffic must still be secret in decades. At the first random byte it
//! gathers its own entropy from processor jitter, which is most of its cost. The build variable
//! `AWS_LC_SYS_NO_JITTER_ENTROPY=1` leaves that to the operating system, as ring does:
//!
//! ```toml
//! # .cargo/config.toml
//! [env]
//! AWS_LC_SYS_NO_JITTER_ENTROPY = "1"
//! ```
//!
//! **FIPS** is for functions that must use a validated module; it requires Go and CMake to build.
//! It covers the TLS connections. Request signatures (HMAC-SHA-256) are made by other code of the
//! SDK, outside the module. `AWS_USE_FIPS_ENDPOINT=true` selects AWS's validated endpoints. [`tls`]
//! shows how a function refuses to start without FIPS.
//!
//! The remaining cost can be paid before the first event: in a
//! [warm-up](crate::Powertools::warm_up),
//! [`DynamoDbStore::warm_up`](crate::idempotency::DynamoDbStore::warm_up) reads a record that does
//! not exist:
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

mod certificates;
#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc", feature = "tls-fips"))]
mod config;
#[cfg(any(feature = "__otel-xray", feature = "dynamodb-lean"))]
pub(crate) mod credentials;
#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc", feature = "tls-fips"))]
mod error;
#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc", feature = "tls-fips"))]
mod http;
#[cfg(any(feature = "dynamodb", feature = "ssm", feature = "secrets", feature = "appconfig"))]
pub(crate) mod no_credentials;
#[cfg(any(feature = "__outside", feature = "redis"))]
pub(crate) mod own_tls;
#[cfg(any(feature = "__otel", feature = "dynamodb-lean"))]
pub(crate) mod partitions;
#[cfg(any(
    feature = "__outside",
    feature = "tls-ring",
    feature = "tls-aws-lc",
    feature = "tls-fips"
))]
mod proxies;
#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc", feature = "tls-fips"))]
mod roots;
#[cfg(any(feature = "__otel-xray", feature = "dynamodb-lean"))]
pub(crate) mod sigv4;
#[cfg(any(feature = "__otel-xray", feature = "dynamodb-lean"))]
pub(crate) mod skew;
#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc", feature = "tls-fips"))]
mod tls;
#[cfg(any(feature = "__otel", feature = "__outside", feature = "parameters"))]
pub(crate) mod transport;
#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc", feature = "tls-fips"))]
mod variables;

#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc", feature = "tls-fips"))]
pub use self::config::{builder, config, load_with, loader};
#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc", feature = "tls-fips"))]
pub use self::error::Error;
#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc", feature = "tls-fips"))]
pub use self::http::http_client;
#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc", feature = "tls-fips"))]
pub use self::roots::Roots;
#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc", feature = "tls-fips"))]
pub use self::tls::{Tls, tls};
