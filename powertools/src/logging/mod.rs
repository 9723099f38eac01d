//! One flat JSON line for each event of `tracing`, with the invocation on it.
mod append;
mod buffer;
mod builder;
mod copy;
mod cut;
mod environment;
mod error;
mod escape;
mod exception;
mod fields;
mod filter;
mod handler;
mod indent;
mod json;
mod keys;
mod layer;
mod level;
mod line;
mod observer;
mod panics;
mod redact;
mod service;
mod settings;
mod state;
mod timestamp;
mod writer;

pub mod correlation;

pub use self::append::{KeyGuard, append, append_scoped, remove, set_correlation_id};
pub use self::builder::{Logging, init};
pub use self::error::Error;
pub use self::handler::{log_event, observe, set_correlation_id_from};
pub use self::json::{Json, json};
pub use self::level::{Level, ParseLevelError};
pub use self::service::{LoggingLayer, LoggingService, OnEvent};
pub use self::settings::Format;
