//! What the attributes expand to and what powertools-otel uses, and nothing that a person calls.
//!
//! Not part of the public API: it changes with any release, together with the attributes and that
//! package.

#[cfg(feature = "http")]
mod answers;
mod as_error;
mod context;
mod in_place;

#[cfg(feature = "idempotency")]
mod commits;
#[cfg(feature = "logging")]
mod correlate;
#[cfg(feature = "idempotency")]
mod default_name;
#[cfg(feature = "init")]
mod made_once;
#[cfg(feature = "__otel")]
pub mod otel;
#[cfg(feature = "idempotency")]
mod response;
#[cfg(feature = "batch")]
mod share;

pub use inventory;
pub use lambda_runtime::LambdaEvent;

#[cfg(feature = "http")]
pub use self::answers::Answers;
pub use self::as_error::AsError;
#[cfg(feature = "idempotency")]
pub use self::commits::Commits;
pub use self::context::{NoContext, Probe};
#[cfg(feature = "logging")]
pub use self::correlate::correlate;
#[cfg(feature = "idempotency")]
pub use self::default_name::default_name;
pub use self::in_place::InPlace;
#[cfg(feature = "init")]
pub use self::made_once::MadeOnce;
#[cfg(feature = "idempotency")]
pub use self::response::{NoResponse, Response};
#[cfg(feature = "batch")]
pub use self::share::{Shared, share};
pub use crate::error::registry::Registration;
