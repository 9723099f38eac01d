//! Values from outside: parameters, secrets and configurations, typed and cached.
//!
//! A value is declared once, with its name and its type, and read wherever it is needed:
//!
//! ```
//! use powertools::parameters::{Memory, Parameters, Secret};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Login {
//!     username: String,
//!     password: String,
//! }
//!
//! static LOGIN: Secret<Login> = Secret::json("prod/db");
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let memory = Memory::new().with("prod/db", r#"{ "username": "app", "password": "hunter2" }"#);
//! Parameters::new()
//!     .source(memory)
//!     .scope(async {
//!         let login = LOGIN.get().await.unwrap();
//!         assert_eq!(login.username, "app");
//!     })
//!     .await;
//! # }
//! ```
//!
//! # Sources
//!
//! | source | for | feature |
//! |---|---|---|
//! | `Ssm` | parameters, and secrets in a `SecureString`, on a client of `aws-sdk-ssm`; a default source of parameters | `ssm` |
//! | `SecretsManager` | secrets, on a client of `aws-sdk-secretsmanager`; a default source | `secrets` |
//! | `AppConfig` | configurations, on a client of `aws-sdk-appconfigdata`; a default source | `appconfig` |
//! | `DynamoDb` | all kinds, from a table | `dynamodb` |
//! | [`Extension`] | parameters and secrets, from AWS's extension on port 2773 | `parameters` |
//! | [`AppConfigAgent`] | configurations, from AWS's agent on port 2772 | `parameters` |
//! | [`Variables`] | all kinds, from variables of the environment | `parameters` |
//! | [`Files`] | all kinds, from a folder | `parameters` |
//! | [`Memory`] | all kinds, in tests | `parameters` |
//!
//! `Powertools::parameters` installs sources other than the default ones, and [`Source`] is a trait
//! to implement for others. [`Parameters::scope`] overrides them in a test.
//!
//! # Cache
//!
//! | age of the value | [`get`](Declaration::get) |
//! |---|---|
//! | up to 70 to 90 per cent of [`max_age`](Parameters::max_age), at random | returns it |
//! | up to `max_age` | returns it, and fetches a new one meanwhile |
//! | up to [`max_stale`](Parameters::max_stale) after that | fetches a new one; if that fails, returns the old one and logs one warning |
//! | more | fetches a new one, or returns an error |
//!
//! - The key of a cached value is the whole request with the type: a decrypted parameter is never
//!   mistaken for an encrypted one, nor a version for another.
//! - Concurrent callers share one fetch. It runs in a task of its own: callers that are cancelled
//!   cancel nothing.
//! - A failed fetch never replaces a value. A failure is remembered for
//!   [one second](Parameters::failure_age).
//! - A refresh ahead of time begins only if a second of the invocation remains, and the runtime waits
//!   for it after the reply, so that it is not frozen with the process. Only `Powertools::parameters`
//!   makes it wait: otherwise the refresh goes on with the next event, or fails if its connection was
//!   closed meanwhile. The value is used for as long as its age admits in either case.
//! - There is room for 1,000 values beyond those of declarations that exist, which keep theirs.
//! - After a SnapStart restore the cache is empty.
//!
//! # Secrets
//!
//! Neither a [`Secret`] nor its [`Value`] can be serialised, and their `Debug` forms contain no
//! value. Errors name the place in the JSON and quote nothing. What the fields of a type of yours
//! print is up to that type.

mod access;
mod builder;
mod cell;
mod content;
mod declaration;
mod engine;
mod error;
mod request;
mod source;
mod sources;
mod value;
mod write;

pub use self::builder::Parameters;
pub use self::content::Content;
pub use self::declaration::{
    Configuration, Declaration, OfConfiguration, OfParameter, OfSecret, Parameter, Secret,
};
pub(crate) use self::engine::Engine;
pub use self::error::Error;
pub use self::request::{Kind, Request, Version};
pub use self::source::{Fetched, Source, SourceError, SourceErrorKind};
#[cfg(feature = "appconfig")]
pub use self::sources::AppConfig;
#[cfg(feature = "dynamodb")]
pub use self::sources::DynamoDb;
#[cfg(feature = "secrets")]
pub use self::sources::SecretsManager;
#[cfg(feature = "ssm")]
pub use self::sources::Ssm;
pub use self::sources::{AppConfigAgent, Extension, Files, Memory, Variables};
pub use self::value::Value;
