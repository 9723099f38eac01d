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

use std::error::Error;

use crate::error::causes;
use crate::invocation::Invocation;

pub use self::collector::{Collector, NotSent, Reply};
pub use self::request::HttpRequest;
pub use crate::environment::Environment;
pub use crate::logging::traced::{
    BesideLines, EVENT, EVENT_FORM, Ids, Redacts, find_ids_by, has_logs, redaction, set_beside,
    take_beside,
};

/// Returns the status of the response to an HTTP request that [`Powertools::http`](crate::Powertools) has
/// answered.
pub fn http_status(invocation: &Invocation) -> Option<u16> {
    #[cfg(feature = "http")]
    return invocation
        .locals::<crate::http::service::Answers>()
        .find_map(crate::http::service::Answers::status);
    #[cfg(not(feature = "http"))]
    {
        let _ = invocation;
        None
    }
}

/// Returns the message of an error followed by those of its causes, which have an end: an error can be its own cause.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    causes::with_causes(error)
}

/// Returns the domain of AWS's endpoints in a region.
#[must_use]
pub fn domain(region: &str) -> &'static str {
    crate::aws::partitions::partition(region, false).1
}

/// Writes a line with its line break to the standard output, whole among those of the logs.
pub fn write_line(line: &[u8]) {
    crate::process::Writer::Stdout.write(line);
}
