//! `#[idempotent]` at run time.
