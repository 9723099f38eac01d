//! Spans as lines of the standard output, for a forwarder that reads the logs.

use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use powertools::macro_support::otel::write_line;

use super::chunk::KEPT;
use crate::spans::lock;

/// Writes lines in the form of `otlp-stdout-span-exporter`.
#[derive(Debug)]
pub(crate) struct Stdout {
    /// A line up to its payload.
    start: Vec<u8>,
    /// The memory of the last line.
    line: Mutex<Vec<u8>>,
}

/// Who wrote the line.
const VERSION: &str = concat!(env!("CARGO_PKG_NAME"), "@", env!("CARGO_PKG_VERSION"));

impl Stdout {
    /// Writes lines of this service, whose requests are for the collector at `endpoint`. A password in it is not
    /// written.
    pub(crate) fn new(service: &str, endpoint: &str) -> Self {
        let endpoint = without_user(endpoint);
        let line = serde_json::json!({
            "__otel_otlp_stdout": VERSION,
            "source": service,
            "endpoint": endpoint,
            "method": "POST",
            "content-type": "application/x-protobuf",
            "content-encoding": "gzip",
            "base64": true,
        });
        let mut start = line.to_string().into_bytes();
        start.pop();
        start.extend_from_slice(br#","payload":""#);
        Self { start, line: Mutex::default() }
    }

    /// Writes a compressed request.
    pub(super) fn write(&self, body: &[u8]) {
        let mut line = lock(&self.line);
        line.clear();
        line.extend_from_slice(&self.start);
        let start = line.len();
        line.resize(start + body.len().div_ceil(3) * 4, 0);
        // There is room for all of it.
        let _ = STANDARD.encode_slice(body, &mut line[start..]);
        line.extend_from_slice(b"\"}\n");
        write_line(&line);
        line.clear();
        line.shrink_to(KEPT);
    }
}

/// Returns a URL without a user and a password.
fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_no_password() {
        for (endpoint, written) in [
            ("https://me:secret@example.com/v1/traces", "https://example.com/v1/traces"),
            ("https://me:se@cret@example.com", "https://example.com"),
            ("http://localhost:4318/v1/traces?at=a@b", "http://localhost:4318/v1/traces?at=a@b"),
        ] {
            let line = String::from_utf8(Stdout::new("orders", endpoint).start).unwrap();
            assert!(line.contains(&format!(r#""endpoint":"{written}""#)), "{line}");
        }
    }
}
