//! The part of the `portable` example that is independent of Lambda.

pub mod quote;
