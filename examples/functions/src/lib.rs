//! The part of the `portable` example that knows nothing of Lambda.

pub mod quote;
