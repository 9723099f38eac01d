//! The toolkit that makes a Rust function on AWS Lambda correct.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod invocation;
pub mod runtime;

#[cfg(feature = "idempotency")]
pub mod idempotency;
#[cfg(feature = "test-util")]
pub mod testing;

mod clock;

pub use crate::clock::Clock;
#[doc(inline)]
pub use crate::invocation::{Invocation, InvocationLayer};
#[doc(inline)]
pub use crate::runtime::Powertools;

/// An error of any type.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[cfg(all(feature = "macros", feature = "idempotency"))]
pub use powertools_macros::idempotent;
