//! Spans as lines of the standard output, for a forwarder that reads the logs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use powertools::macro_support::otel::write_line;
use serde::Serialize;

/// Writes lines in the form of `otlp-stdout-span-exporter`.
#[derive(Debug)]
pub(crate) struct Stdout {
    pub(crate) service: String,
    pub(crate) endpoint: String,
}

/// Who wrote the line.
const VERSION: &str = concat!(env!("CARGO_PKG_NAME"), "@", env!("CARGO_PKG_VERSION"));

#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "__otel_otlp_stdout")]
    version: &'static str,
    source: &'a str,
    endpoint: &'a str,
    method: &'static str,
    #[serde(rename = "content-type")]
    content_type: &'static str,
    #[serde(rename = "content-encoding")]
    content_encoding: &'static str,
    payload: String,
    base64: bool,
}

impl Stdout {
    /// Writes a compressed request.
    pub(super) fn write(&self, body: &[u8]) {
        let line = Line {
            version: VERSION,
            source: &self.service,
            endpoint: &self.endpoint,
            method: "POST",
            content_type: "application/x-protobuf",
            content_encoding: "gzip",
            payload: STANDARD.encode(body),
            base64: true,
        };
        if let Ok(mut line) = serde_json::to_vec(&line) {
            line.push(b'\n');
            write_line(&line);
        }
    }
}
