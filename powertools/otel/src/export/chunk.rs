//! Requests to a collector, none of which is too long for it.

use std::collections::VecDeque;
use std::mem;
use std::sync::Mutex;

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;
use powertools::macro_support::otel::{Environment, Redacts};

use super::otlp::{self, FRAME};
use crate::settings::Variables;
use crate::spans::lock;

/// The most spans in one request.
const SPANS: usize = 512;

/// The most bytes in one request before compression: X-Ray takes 5 MB, and collectors and what is behind
/// them often no more than gRPC's 4 MiB.
pub(crate) const REQUEST_BYTES: usize = 4 << 20;

/// The most bytes in the request of one line: as base64 and if nothing of it can be compressed, which the fastest
/// level makes an eighth longer, the line is below 256 KiB. An event of CloudWatch Logs has at most 1 MB, but forwarders
/// that read the log can have its limit from before April 2025, which was 256 KB.
pub(crate) const LINE_BYTES: usize = 170_000;

/// The body of a request.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(super) body: Bytes,
    pub(super) spans: usize,
}

/// Turns spans into requests. Nothing is prepared before the first of them: the start of the function does not
/// wait for it.
#[derive(Debug)]
pub(crate) struct Encoder {
    environment: Environment,
    /// The service in code.
    service: Option<String>,
    around: Mutex<Option<Around>>,
    gzip: Option<Mutex<Option<Gzip>>>,
    limit: usize,
}

/// What a request has around its spans.
#[derive(Debug)]
struct Around {
    resource: Vec<u8>,
    scope: Vec<u8>,
    /// The memory of the last spans.
    memory: Vec<u8>,
}

impl Encoder {
    pub(crate) fn new(
        environment: Environment,
        service: Option<String>,
        is_compressed: bool,
        limit: usize,
    ) -> Self {
        let gzip = is_compressed.then(Mutex::default);
        Self { environment, service, around: Mutex::default(), gzip, limit }
    }

    /// Gives the function this instance, in place of the one in its variables.
    pub(crate) fn set_instance(&self, instance: String) {
        *lock(&self.around) = Some(self.around(Some(instance)));
    }

    fn around(&self, instance: Option<String>) -> Around {
        let mut variables = Variables { environment: &self.environment, damaged: Vec::new() };
        let mut attributes = variables.resource(self.service.as_deref());
        attributes.extend(instance.map(|instance| KeyValue::new("faas.instance", instance)));
        Around {
            resource: otlp::resource(&attributes),
            scope: otlp::scope(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
            memory: Vec::new(),
        }
    }

    /// Adds requests to `chunks`. Returns how many spans are in none of them, since each is too long for one
    /// by itself.
    pub(super) fn encode(
        &self,
        spans: &[SpanData],
        redaction: Option<&Redacts>,
        chunks: &mut VecDeque<Chunk>,
    ) -> usize {
        let mut around = lock(&self.around);
        let Around { resource, scope, memory } = around.get_or_insert_with(|| self.around(None));
        let around = resource.len() + scope.len() + crate::SCHEMA_URL.len() + FRAME;
        let room = self.limit.saturating_sub(around);
        let (mut written, mut count, mut too_long) = (mem::take(memory), 0, 0);
        let mut close = |written: &[u8], count: usize| {
            let body = otlp::request(resource, scope, written, crate::SCHEMA_URL);
            let body = match &self.gzip {
                Some(gzip) => lock(gzip).get_or_insert_default().compress(&body),
                None => body,
            };
            chunks.push_back(Chunk { body: body.into(), spans: count });
        };
        for span in spans {
            let before = written.len();
            otlp::span(&mut written, span, redaction);
            let len = written.len() - before;
            if len > room {
                written.truncate(before);
                too_long += 1;
                continue;
            }
            if written.len() > room || count == SPANS {
                close(&written[..before], count);
                written.drain(..before);
                count = 0;
            }
            count += 1;
        }
        if count > 0 {
            close(&written, count);
        }
        written.clear();
        written.shrink_to(KEPT);
        *memory = written;
        too_long
    }
}

/// The most memory that is kept for the next request.
pub(super) const KEPT: usize = 64 << 10;

/// A compressor, which keeps its memory: to allocate that takes longer than to compress a request.
///
/// Its level is 1. For requests of 1, 20 and 500 spans, which have 719, 5,764 and 132,968 bytes, it takes 6, 11 and
/// 138 µs and leaves 575, 1,597 and 20,877 bytes. Level 3 takes 18, 35 and 303 µs for 530, 1,499 and 17,836 bytes, and
/// level 6 takes 18, 39 and 758 µs for 530, 1,484 and 16,578.
#[derive(Debug)]
struct Gzip(Compress);

impl Default for Gzip {
    fn default() -> Self {
        Self(Compress::new(Compression::fast(), false))
    }
}

impl Gzip {
    /// Compresses into the format of RFC 1952, without a name, a time or flags.
    fn compress(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Self(compressor) = self;
        compressor.reset();
        let mut out = Vec::with_capacity(bytes.len() / 2 + 64);
        out.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
        loop {
            let read = usize::try_from(compressor.total_in()).unwrap_or_default();
            let rest = bytes.get(read..).unwrap_or_default();
            match compressor.compress_vec(rest, &mut out, FlushCompress::Finish) {
                Ok(Status::StreamEnd) => break,
                Ok(_) => out.reserve(bytes.len() / 2 + 64),
                // It has no cause in a stream that has just begun.
                Err(_) => return Vec::new(),
            }
        }
        let mut crc = Crc::new();
        crc.update(bytes);
        out.extend_from_slice(&crc.sum().to_le_bytes());
        out.extend_from_slice(&crc.amount().to_le_bytes());
        // It can wait for long, and a long request of which little is left has room for much.
        if out.capacity() - out.len() > KEPT {
            out.shrink_to_fit();
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn a_compressor_is_as_good_as_new_each_time() {
        let mut gzip = Gzip::default();
        let random = |len: usize| -> Vec<u8> {
            let mut state = 1_u32;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            (0..len).map(|_| next()).collect()
        };
        // Bytes that take nine bits in Deflate's fixed code.
        let long = random(LINE_BYTES).into_iter().map(|byte| 144 + byte % 112).collect();
        let cases =
            [b"".to_vec(), b"abc".repeat(50_000), random(LINE_BYTES), long, b"abc".repeat(5)];
        for bytes in cases {
            let compressed = gzip.compress(&bytes);
            let mut whole = Vec::new();
            GzDecoder::new(&*compressed).read_to_end(&mut whole).unwrap();
            assert!(whole == bytes, "{}", bytes.len());
            // Base64, and what a line has around it: 256 KiB, less the 26 bytes that CloudWatch Logs counts for an event.
            assert!(bytes.len() > LINE_BYTES || compressed.len().div_ceil(3) * 4 + 1024 < 262_118);
        }
    }
}
