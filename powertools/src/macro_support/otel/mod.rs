//! What the package powertools-otel uses of this crate.

mod collector;
mod request;

#[cfg(feature = "__otel-tls")]
mod outside;
#[cfg(not(feature = "__otel-tls"))]
#[path = "no_outside.rs"]
mod outside;

// For its test.
#[cfg(all(test, feature = "__otel-tls"))]
mod no_outside;

#[cfg(feature = "__otel-xray")]
mod signed;
#[cfg(not(feature = "__otel-xray"))]
#[path = "unsigned.rs"]
mod signed;

pub use self::collector::{Collector, Reply};
pub use self::request::HttpRequest;
pub use crate::environment::Environment;
pub use crate::logging::traced::{
    BesideLines, Ids, Redacts, find_ids_by, has_logs, redaction, set_beside, take_beside,
};

/// Writes a line with its line break to the standard output, whole among those of the logs.
pub fn write_line(line: &[u8]) {
    crate::process::Writer::Stdout.write(line);
}
