//! Tests of functions.

#[cfg(feature = "idempotency")]
pub mod store_suite;

#[cfg(feature = "idempotency")]
pub use store_suite::StoreSuite;
