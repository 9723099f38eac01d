//! Whatever is logged, by whatever settings: each line is one JSON object within its limit.

use std::error::Error as StdError;
use std::fmt;

use powertools::logging::{self as logs, Format, KeyGuard, Logging, json};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tracing::Span;

use super::hostile::no_name_twice;
use super::{Lines, invocation, logging, start};
use crate::interleave;

/// What no line may hold.
const SECRET: &str = "s3cr3t";

const HIDDEN: &str = "pass\"word";

#[test]
fn any_sequence_of_calls_writes_valid_lines() {
    for seed in 0..powertools_tests::times(80) {
        let mut random = Random::new(seed as u64);
        let limit = random.one_of(&[1_024, 1_500, 4_096, 256 * 1024]);
        let logging = settings(&mut random).line_limit(limit);
        let (lines, guard) = start(logging);
        let outside = random.below(8) == 0;
        if outside {
            calls(&mut random);
        } else {
            let tenant = random.text();
            invocation().tenant_id(tenant).build().sync_scope(|| calls(&mut random));
        }
        drop(guard);
        check(&lines, limit, outside).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

#[test]
fn any_sequence_of_calls_writes_lines_for_people() {
    for seed in 0..powertools_tests::times(40) {
        let mut random = Random::new(seed as u64);
        let logging = settings(&mut random).service("orders").format(Format::Text);
        let (lines, guard) = start(logging.line_limit(2_048));
        invocation().build().sync_scope(|| calls(&mut random));
        drop(guard);
        for line in lines.take().split_terminator('\n') {
            assert!(line.len() < 2_048, "seed {seed}: {}", line.len());
            assert!(line.starts_with("2026-11-21T02:32:01.566Z "), "seed {seed}: {line:?}");
            assert!(line.contains("8476a536-e9f4-11e8-9739-2dfe598c3fcd"), "seed {seed}: {line:?}");
            assert!(!line.contains(char::is_control), "seed {seed}: {line:?}");
            assert!(!line.contains(SECRET), "seed {seed}: {line:?}");
        }
    }
}

fn check(lines: &Lines, limit: usize, outside: bool) -> Result<(), String> {
    for line in lines.take().split_terminator('\n') {
        if line.len() >= limit {
            return Err(format!("{} bytes of {limit}", line.len()));
        }
        no_name_twice(line).map_err(|error| {
            let around = line.get(error.column().saturating_sub(80)..).unwrap_or(line);
            format!("{error}: {around:?}")
        })?;
        let value: Value = serde_json::from_str(line).expect("the same text");
        if value["level"].as_str().is_none() || value["timestamp"] != "2026-11-21T02:32:01.566Z" {
            return Err(format!("no level or time: {line}"));
        }
        if !outside && value["function_request_id"] != "8476a536-e9f4-11e8-9739-2dfe598c3fcd" {
            return Err(format!("no request id: {line}"));
        }
        if line.contains(SECRET) {
            return Err(format!("a hidden value: {line}"));
        }
    }
    Ok(())
}

fn settings(random: &mut Random) -> Logging {
    let mut logging = logging().redact([HIDDEN, "location"]).service(random.text());
    for _ in 0..random.below(3) {
        logging = logging.key(random.name(), random.value(2));
    }
    if random.below(2) == 0 {
        logging = logging.buffer(random.below(8_000));
    }
    logging.sample_rate(random.one_of(&[0.0, 0.5, 1.0]))
}

fn calls(random: &mut Random) {
    let mut guards: Vec<KeyGuard> = Vec::new();
    let mut spans: Vec<(Span, tracing::span::EnteredSpan)> = Vec::new();
    for _ in 0..2 + random.below(24) {
        match random.below(12) {
            0 | 1 => logs::append(random.name(), random.value(3)),
            2 => guards.push(logs::append_scoped(random.name(), random.value(2))),
            3 if !guards.is_empty() => drop(guards.swap_remove(random.below(guards.len()))),
            4 => logs::remove(&random.name()),
            5 => logs::set_correlation_id(random.text()),
            6 => {
                let span = tracing::info_span!(
                    "s",
                    "na\"me\n\u{7f}" = random.text(),
                    location = SECRET,
                    later = tracing::field::Empty,
                    error = tracing::field::Empty,
                );
                spans.push((span.clone(), span.entered()));
            }
            7 => {
                if let Some((span, _)) = spans.last() {
                    span.record("later", random.text());
                    span.record("error", &random.error() as &(dyn StdError + 'static));
                }
            }
            8 => drop(spans.pop()),
            _ => event(random),
        }
    }
    while let Some(span) = spans.pop() {
        drop(span);
    }
}

fn event(random: &mut Random) {
    let text = random.text();
    match random.below(10) {
        0 => tracing::info!("{text}"),
        1 => tracing::debug!(x = random.float(), text, "{HIDDEN}"),
        2 => tracing::warn!(later = ?text, map = json(random.value(4)), "x"),
        3 => tracing::info!(level = %text, truncated = true, "pass\"word" = SECRET, "{text}"),
        4 => {
            let error = random.error();
            tracing::error!(
                exception_name = random.below(2).eq(&0).then_some(text.as_str()),
                error = &error as &(dyn StdError + 'static),
                exception = text,
                other = &error as &(dyn StdError + 'static),
            );
        }
        5 => tracing::info!(value = ?Hostile(random.below(5), text), "x"),
        6 => tracing::info!(message = ?Hostile(random.below(5), text), n = u128::MAX),
        7 => logs::log_event(&random.value(4)),
        8 => {
            let text = random.json();
            if let Ok(raw) = RawValue::from_string(text) {
                logs::append(random.name(), &raw);
                logs::log_event(&raw);
            }
        }
        _ => tracing::info!(value = json(Nested(random.value(2), text)), "x"),
    }
}

/// Its forms fail, make JSON on the way, and look like JSON of the same length.
struct Hostile(usize, String);

impl fmt::Debug for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = format!("{:?}", json(&self.1));
        match self.0 {
            0 => f.write_str(&"}".repeat(json.len())),
            1 => f.write_str(&json),
            2 => {
                tracing::info!(inner = %self.1, "logged while a line is made");
                fmt::Debug::fmt(&logs::json(&self.1), f)
            }
            3 => {
                fmt::Debug::fmt(&logs::json(&self.1), f)?;
                f.write_str(",\"level\":\"FORGED\"")
            }
            _ => {
                f.write_str(&self.1)?;
                Err(fmt::Error)
            }
        }
    }
}

impl fmt::Display for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl StdError for Hostile {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.is_multiple_of(2).then_some(self as _)
    }
}

/// Makes other JSON while it is written.
struct Nested(Value, String);

impl Serialize for Nested {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let inner = format!("{:?}", json(&self.1));
        serde_json::json!({ HIDDEN: SECRET, "inner": inner, "value": self.0 }).serialize(to)
    }
}

/// Names, values and errors from a seed.
struct Random(interleave::random::Random);

impl Random {
    fn new(seed: u64) -> Self {
        Self(interleave::random::Random::new(seed))
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next() % end.max(1) as u64).expect("it is below a usize")
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn float(&mut self) -> f64 {
        f64::from_bits(self.0.next())
    }

    fn text(&mut self) -> String {
        let length = match self.below(10) {
            0 => 0,
            1..=7 => self.below(30),
            8 => self.below(600),
            _ => self.below(6_000),
        };
        (0..length).map(|_| self.char()).collect()
    }

    fn char(&mut self) -> char {
        let hostile = [
            '"', '\\', '{', '}', '[', ']', ':', ',', 'u', 'd', '\0', '\n', '\r', '\u{1b}',
            '\u{7f}', '\u{80}', '\u{9b}', 'é', '…', '\u{2028}', '\u{feff}', '\u{ffff}', '😀',
        ];
        match self.below(3) {
            0 => self.one_of(&hostile),
            1 => char::from_u32(self.below(0x11_0000) as u32).unwrap_or('x'),
            _ => char::from(b' ' + self.below(95) as u8),
        }
    }

    fn name(&mut self) -> String {
        let known = [
            "level",
            "level_",
            "message",
            "timestamp",
            "service",
            "truncated",
            "exception",
            "exception_name",
            "later",
            "value",
            "a",
            "b",
            "c",
            "",
        ];
        if self.below(3) == 0 { self.text() } else { self.one_of(&known).to_owned() }
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 4 } else { 8 }) {
            0 => Value::Null,
            1 => self.0.next().into(),
            2 => self.float().into(),
            3 => self.text().into(),
            4 => (0..self.below(6)).map(|_| self.value(depth - 1)).collect(),
            // JSON in a string.
            5 => self.value(depth - 1).to_string().into(),
            _ => {
                let mut members: serde_json::Map<_, _> =
                    (0..self.below(6)).map(|_| (self.text(), self.value(depth - 1))).collect();
                members.insert(HIDDEN.to_owned(), SECRET.into());
                Value::Object(members)
            }
        }
    }

    fn error(&mut self) -> Hostile {
        Hostile(self.below(5), self.text())
    }

    /// JSON with a byte that is changed, which leaves it valid at times.
    fn json(&mut self) -> String {
        let mut bytes = self.value(3).to_string().into_bytes();
        if !bytes.is_empty() && self.below(2) == 0 {
            let at = self.below(bytes.len());
            bytes[at] = self.one_of(b"0e-\"\\{}[]:, \tud");
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // What hides the secret may be what was changed.
        text.replace(SECRET, "changed")
    }
}
