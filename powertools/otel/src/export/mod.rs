//! Where ended spans go.

mod chunk;
mod otlp;
mod stdout;

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use lambda_runtime::Error;
use opentelemetry_sdk::trace::SpanData;
use powertools::macro_support::otel::{Collector, NotSent, Redacts, with_causes};
use tokio::time::Instant;

use self::chunk::Chunk;
use crate::spans::{Spans, lock};
use crate::warning::{warn, warn_of};

pub(crate) use self::chunk::{Encoder, LINE_BYTES, REQUEST_BYTES};
pub(crate) use self::otlp::{DROPPED, STOPPED};
pub(crate) use self::stdout::Stdout;

/// Sends spans. Nothing that goes wrong gets out of here but one warning.
pub(crate) struct Exporter {
    pub(crate) to: To,
    /// The time of one request.
    pub(crate) timeout: Duration,
    pub(crate) encoder: Encoder,
    pub(crate) redaction: OnceLock<Option<Redacts>>,
    /// What could not be sent and waits for another attempt.
    pub(crate) unsent: Mutex<VecDeque<Chunk>>,
    pub(crate) outage: Mutex<Outage>,
    /// Of the flushes that belong to no invocation.
    turn: tokio::sync::Mutex<()>,
}

pub(crate) enum To {
    Collector(Box<Collector>),
    Stdout(Stdout),
    Nowhere,
}

/// The time during which the collector does not answer.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    failures: u32,
    /// No attempt is made before this instant.
    until: Option<Instant>,
}

/// Attempts in one flush, and the pause before the second one, which then doubles.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);
/// The time without an attempt after a flush that failed. It doubles with each further one.
const OUTAGE: Duration = Duration::from_secs(1);
const LONGEST_OUTAGE: Duration = Duration::from_secs(30);
/// The most bytes of requests that wait for another attempt: two of the longest.
const UNSENT_BYTES: usize = 2 * REQUEST_BYTES;
/// The least time with which a request starts.
const LEAST: Duration = Duration::from_millis(5);

/// Why a chunk was not accepted.
enum Failed {
    /// No attempt was made: the next flush makes one.
    NoTime,
    /// Another attempt can succeed, perhaps only after a time.
    Later { error: Error, after: Option<Duration>, is_timeout: bool },
    /// It was rejected.
    Never(Error),
}

impl Exporter {
    /// Sends the spans that wait for no invocation, and `ended`, within `time`.
    pub(crate) async fn flush(&self, spans: &Spans, mut ended: Vec<SpanData>, time: Duration) {
        let end = Instant::now() + time;
        ended.append(&mut spans.take_late());
        if let To::Nowhere = self.to {
            return spans.forget(ended.len());
        }
        let redaction = self.redaction.get().and_then(Option::as_ref);
        let chunks = mem::take(&mut *lock(&self.unsent));
        let mut sending = Sending { exporter: self, spans, chunks };
        let too_long = self.encoder.encode(&ended, redaction, &mut sending.chunks);
        drop(ended);
        spans.forget(too_long);
        spans.count_dropped(too_long);

        let error = match &self.to {
            To::Nowhere => None,
            To::Stdout(stdout) => {
                for chunk in sending.chunks.drain(..) {
                    stdout.write(&chunk.body);
                    spans.forget(chunk.spans);
                }
                None
            }
            To::Collector(collector) => self.send(collector, spans, &mut sending, end).await,
        };
        drop(sending);
        let too_long = (too_long > 0).then(|| "some were too long for a request".into());
        let error = error.or(too_long);
        let dropped = spans.take_dropped();
        if dropped > 0 {
            let reason = error.map(|error| format!(": {}", with_causes(&*error)));
            let reason = reason.unwrap_or_default();
            warn_of(Some(dropped), &format!("spans were dropped{reason}"));
        } else if let Some(error) = error {
            let error = with_causes(&*error);
            warn(&format!("spans cannot be sent and are kept for now: {error}"));
        }
    }

    /// Sends the spans that wait for no invocation, within `time`, after those that an earlier call still sends: at the
    /// end of the environment these would be lost.
    pub(crate) async fn flush_in_turn(&self, spans: &Spans, time: Duration) {
        let end = Instant::now() + time;
        let _turn = tokio::time::timeout(time, self.turn.lock()).await;
        self.flush(spans, Vec::new(), end.saturating_duration_since(Instant::now())).await;
    }

    /// Sends chunks until one fails. Returns what the warning is about.
    async fn send(
        &self,
        collector: &Collector,
        spans: &Spans,
        sending: &mut Sending<'_>,
        end: Instant,
    ) -> Option<Error> {
        let mut rejected = None;
        while let Some(chunk) = sending.chunks.front() {
            if lock(&self.outage).until.is_some_and(|until| Instant::now() < until) {
                return rejected;
            }
            match self.attempts(collector, chunk, end).await {
                Ok(refused) => {
                    *lock(&self.outage) = Outage::default();
                    let (count, refused) = (chunk.spans, refused.min(chunk.spans));
                    sending.chunks.pop_front();
                    spans.forget(count);
                    spans.count_dropped(refused);
                    if refused > 0 {
                        rejected = Some("the collector rejected them".into());
                    }
                }
                Err(Failed::Never(error)) => {
                    let count = chunk.spans;
                    sending.chunks.pop_front();
                    spans.forget(count);
                    spans.count_dropped(count);
                    rejected = Some(error);
                }
                Err(Failed::NoTime) => return rejected,
                Err(Failed::Later { error, after, .. }) => {
                    // The cause may be what it contains, and others are not to wait for ever.
                    sending.chunks.rotate_left(1);
                    let is_first = lock(&self.outage).begin(after);
                    return rejected.or(is_first.then_some(error));
                }
            }
        }
        rejected
    }

    /// Sends a chunk, with all of its attempts. Returns how many spans were rejected.
    async fn attempts(
        &self,
        collector: &Collector,
        chunk: &Chunk,
        end: Instant,
    ) -> Result<usize, Failed> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            let left = end.saturating_duration_since(Instant::now());
            if left < LEAST {
                return Err(Failed::NoTime);
            }
            let failed = match self.attempt(collector, chunk, left.min(self.timeout)).await {
                Err(failed @ Failed::Later { after: None, is_timeout: false, .. }) => failed,
                ended => return ended,
            };
            if attempt == ATTEMPTS || Instant::now() + pause + LEAST >= end {
                return Err(failed);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        unreachable!("the loop returns")
    }

    async fn attempt(
        &self,
        collector: &Collector,
        chunk: &Chunk,
        limit: Duration,
    ) -> Result<usize, Failed> {
        let started = Instant::now();
        let reply = collector.post(chunk.body.clone(), limit).await.map_err(|not_sent| {
            let is_timeout = started.elapsed() + LEAST >= limit;
            let NotSent { error, is_final } = not_sent;
            match is_final {
                true => Failed::Never(error),
                false => Failed::Later { error, after: None, is_timeout },
            }
        })?;
        match reply.status {
            200..300 => Ok(otlp::rejected(&reply.body)),
            status @ (429 | 502 | 503 | 504) => {
                let error = format!("the collector answered with status {status}").into();
                let after = reply.retry_after.map(Duration::from_secs);
                Err(Failed::Later { error, after, is_timeout: false })
            }
            status => {
                Err(Failed::Never(format!("the collector answered with status {status}").into()))
            }
        }
    }
}

impl Outage {
    /// Notes a flush without success. Returns true if the one before had succeeded.
    fn begin(&mut self, after: Option<Duration>) -> bool {
        // Flushes of other events failed for the same reason, at the same time.
        if after.is_none() && self.until.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        let pause = OUTAGE * 2_u32.saturating_pow(self.failures.min(10));
        let pause = after.unwrap_or_default().max(pause).min(LONGEST_OUTAGE);
        self.until = Some(Instant::now() + pause);
        self.failures += 1;
        self.failures == 1
    }
}

/// The chunks of a flush. Those that were not sent return to the exporter, even if the flush is stopped, and the first
/// ones are dropped if they are too many.
struct Sending<'a> {
    exporter: &'a Exporter,
    spans: &'a Spans,
    chunks: VecDeque<Chunk>,
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        let chunks = mem::take(&mut self.chunks);
        if chunks.is_empty() {
            return;
        }
        let mut unsent = lock(&self.exporter.unsent);
        for chunk in chunks.into_iter().rev() {
            unsent.push_front(chunk);
        }
        let mut bytes: usize = unsent.iter().map(|chunk| chunk.body.len()).sum();
        while bytes > UNSENT_BYTES
            && let Some(Chunk { body, spans }) = unsent.pop_front()
        {
            bytes -= body.len();
            self.spans.forget(spans);
            self.spans.count_dropped(spans);
        }
    }
}

pub(crate) fn exporter(to: To, timeout: Duration, encoder: Encoder) -> Arc<Exporter> {
    Arc::new(Exporter {
        to,
        timeout,
        encoder,
        redaction: OnceLock::new(),
        unsent: Mutex::default(),
        outage: Mutex::default(),
        turn: tokio::sync::Mutex::default(),
    })
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;
    use opentelemetry::KeyValue;
    use opentelemetry::trace::{Span as _, Tracer as _};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::sync::Notify;

    use super::*;
    use crate::otel::Otel;

    #[test]
    fn flushes_that_fail_together_are_one_failure() {
        let mut outage = Outage::default();
        assert!(outage.begin(None));
        (0..15).for_each(|_| assert!(!outage.begin(None)));
        assert_eq!(outage.failures, 1);
    }

    /// Nothing else ends it: see `flushes_in_time`.
    #[tokio::test]
    async fn a_flush_ends_within_its_time_by_itself() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let otel = Otel::collector(&url).environment([("OTEL_EXPORTER_OTLP_TIMEOUT", "60000")]);
        let core = otel.core();
        core.spans.take_early();
        core.of_invocations().start("late").end();
        // The collector never answers.
        let time = Duration::from_millis(50);
        let flush = core.exporter.flush(&core.spans, Vec::new(), time);
        tokio::time::timeout(100 * time, flush).await.unwrap();
        assert_eq!(lock(&core.exporter.unsent).len(), 1);
    }

    #[tokio::test]
    async fn a_request_that_fails_makes_room_for_others() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let otel = Otel::collector(&url);
        let core = otel.core();
        let chunk = |spans| Chunk { body: bytes::Bytes::new(), spans };
        lock(&core.exporter.unsent).extend([chunk(1), chunk(2)]);
        let collector = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            let busy = b"HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(busy).await.unwrap();
        };
        let flush = core.exporter.flush(&core.spans, Vec::new(), Duration::from_secs(60));
        tokio::join!(collector, flush);
        let left: Vec<_> = lock(&core.exporter.unsent).iter().map(|chunk| chunk.spans).collect();
        assert_eq!(left, [2, 1]);
    }

    /// Spans are few, and long.
    #[tokio::test]
    async fn requests_that_wait_take_a_bounded_memory() {
        let otel = Otel::collector("http://127.0.0.1:1").environment([("A", "")]);
        let core = otel.core();
        core.spans.take_early();
        // As after an attempt without success.
        lock(&core.exporter.outage).begin(Some(LONGEST_OUTAGE));
        let tracer = core.of_invocations();
        for number in 0..20 {
            let mut span = tracer.start("long");
            for attribute in 0..50 {
                let value = format!("{number} {attribute} {}", "x".repeat(10_000));
                span.set_attribute(KeyValue::new(format!("a{attribute}"), value));
            }
            span.end();
            core.exporter.flush(&core.spans, Vec::new(), Duration::from_secs(1)).await;
        }
        let unsent = mem::take(&mut *lock(&core.exporter.unsent));
        let bytes: usize = unsent.iter().map(|chunk| chunk.body.len()).sum();
        assert!((UNSENT_BYTES / 2..=UNSENT_BYTES).contains(&bytes), "{bytes}");
        // The last ones are kept, and what is dropped is counted.
        let last = &unsent.back().unwrap().body;
        assert!(last.windows(5).any(|bytes| bytes == b"19 0 "));
        let sending = Sending { exporter: &core.exporter, spans: &core.spans, chunks: unsent };
        assert_eq!((sending.chunks.len(), core.spans.take_dropped()), (16, 0));
        let long = |chunk: &Chunk| Chunk { body: chunk.body.clone(), spans: 2 };
        lock(&core.exporter.unsent).push_back(long(&sending.chunks[0]));
        drop(sending);
        assert_eq!(core.spans.take_dropped(), 1);
    }

    #[tokio::test]
    async fn the_last_flush_waits_for_that_of_the_interval() {
        const TIME: Duration = Duration::from_secs(60);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asked, answered) = (Notify::new(), Notify::new());
        let collector = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            asked.notify_one();
            answered.notified().await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        };
        let otel = Otel::collector(&url).environment([("OTEL_EXPORTER_OTLP_TIMEOUT", "60000")]);
        let core = otel.core();
        core.spans.take_early();
        core.of_invocations().start("late").end();
        let interval = core.exporter.flush_in_turn(&core.spans, TIME);
        let last = async {
            asked.notified().await;
            let mut last = pin!(core.exporter.flush_in_turn(&core.spans, TIME));
            assert!(last.as_mut().now_or_never().is_none());
            answered.notify_one();
            last.await;
        };
        tokio::join!(collector, interval, last);
        assert!(lock(&core.exporter.unsent).is_empty());
    }
}
