//! The embedded metric format of CloudWatch: one line of JSON for the values of a set.
//!
//! The format is AWS's [specification](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).

use super::set::{Counted, Series, Set, heads};
use crate::json::write::{self, JSON, quoted};
use crate::metrics::labels::Text;
use crate::metrics::limits;
use crate::metrics::problem::{Kind, Problems};
use crate::metrics::settings::Settings;

/// What a line has around its names and values, at most.
const FRAME: usize = 256;

/// What a metric has around its name and values, at most.
const METRIC_FRAME: usize = 128;

/// The bytes of a value and its count, at most.
const VALUE: usize = 48;

/// The bytes that escapes can make of one.
const ESCAPED: usize = 3;

/// Writes the lines of a set: one, unless that would be too long for CloudWatch. `out` and `scratch`
/// are memory.
pub(super) fn write(
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    settings: &Settings,
    set: &mut Set,
    event: &[(Text, String)],
    now: u64,
    problems: &mut Problems,
) {
    scratch.clear();
    properties(scratch, set, event, problems);
    let timestamp = set.timestamp.unwrap_or(now);
    if set.is_whole() && is_one_line(set, scratch) {
        begin(out, timestamp);
        out.extend_from_slice(set.joined());
        out.extend_from_slice(scratch);
        for series in &set.series {
            member(out, series, &series.values);
        }
        end(out, settings);
    } else {
        parts(out, scratch, settings, set, timestamp, problems);
    }
}

/// Returns true if all metrics fit.
fn is_one_line(set: &Set, properties: &[u8]) -> bool {
    let mut size = frame(set) + properties.len();
    let fit = |series: &Series| {
        size += bound(series);
        series.values.len() <= limits::VALUES
    };
    set.series.len() <= limits::METRICS && set.series.iter().all(fit) && size <= limits::LINE
}

/// Writes the metrics that have values, on as few lines as take them.
fn parts(
    out: &mut Vec<u8>,
    properties: &mut Vec<u8>,
    settings: &Settings,
    set: &Set,
    timestamp: u64,
    problems: &mut Problems,
) {
    let longest = set.series.iter().map(bound).max().unwrap_or_default();
    if frame(set) + properties.len() + longest > limits::LINE {
        problems.push(Kind::PropertiesTooLong, "");
        properties.clear();
    }
    let base = frame(set) + properties.len();
    let most = set.series.iter().map(|series| series.values.len()).max().unwrap_or_default();
    let mut first = 0;
    while first < most {
        let mut rest = &set.series[..];
        loop {
            let (mut metrics, mut size, mut end) = (0, base, 0);
            for series in rest {
                if series.values.len() > first {
                    size += bound(series);
                    if metrics == limits::METRICS || (metrics > 0 && size > limits::LINE) {
                        break;
                    }
                    metrics += 1;
                }
                end += 1;
            }
            if metrics == 0 {
                break;
            }
            let (part, others) = rest.split_at(end);
            line(out, settings, set, part, first, properties, timestamp);
            rest = others;
        }
        first += limits::VALUES;
    }
}

/// The bytes of a line but for its properties and metrics, at most.
fn frame(set: &Set) -> usize {
    FRAME + set.head.len() + set.members.len()
}

/// The bytes of a metric in a line, at most.
fn bound(series: &Series) -> usize {
    let values = series.values.len().min(limits::VALUES);
    METRIC_FRAME + 2 * ESCAPED * series.name.len() + values * VALUE
}

fn line(
    out: &mut Vec<u8>,
    settings: &Settings,
    set: &Set,
    part: &[Series],
    first: usize,
    properties: &[u8],
    timestamp: u64,
) {
    let metrics = || part.iter().filter(|series| series.values.len() > first);
    begin(out, timestamp);
    out.extend_from_slice(&set.head);
    heads(out, metrics());
    out.extend_from_slice(&set.members);
    out.extend_from_slice(properties);
    for series in metrics() {
        let last = series.values.len().min(first + limits::VALUES);
        member(out, series, &series.values[first..last]);
    }
    end(out, settings);
}

fn begin(out: &mut Vec<u8>, timestamp: u64) {
    out.clear();
    out.extend_from_slice(br#"{"_aws":{"Timestamp":"#);
    write::integer(out, timestamp);
}

fn end(out: &mut Vec<u8>, settings: &Settings) {
    out.extend_from_slice(b"}\n");
    settings.writer.write(out);
}

/// Writes a metric: one value by itself, which most have.
fn member(out: &mut Vec<u8>, series: &Series, values: &[Counted]) {
    out.extend_from_slice(&series.member);
    match values {
        [Counted { value, count: 1 }] => number(out, *value),
        _ => several(out, values),
    }
}

/// Writes what the rest of the event has, and the set.
fn properties(out: &mut Vec<u8>, set: &Set, event: &[(Text, String)], problems: &mut Problems) {
    if event.is_empty() && set.properties.is_empty() {
        return;
    }
    let of_set = |name: &Text| set.properties.iter().any(|(known, _)| known == name);
    let of_event = event.iter().filter(|(name, _)| !of_set(name));
    for (name, value) in of_event.chain(&set.properties) {
        let is_metric = |series: &Series| series.name == *name && !series.values.is_empty();
        if set.dimensions.contains(name) || set.series.iter().any(is_metric) {
            problems.push(Kind::PropertyHidden, name);
            continue;
        }
        out.push(b',');
        quoted(out, name, &JSON);
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
    }
}

/// Writes values as an array, and those that came often with how often they came, where that is
/// shorter or the array would be too long.
fn several(out: &mut Vec<u8>, values: &[Counted]) {
    let observed = values.iter().fold(0, |sum: u64, each| sum.saturating_add(each.count));
    let start = out.len();
    if observed <= limits::VALUES as u64 {
        let times = |each: &Counted| std::iter::repeat_n(each.value, each.count as usize);
        let each = values.iter().flat_map(times);
        array(out, each, number);
        if observed == values.len() as u64 {
            return;
        }
    }
    let plain = out.len() - start;
    out.extend_from_slice(br#"{"Values":"#);
    array(out, values.iter().map(|each| each.value), number);
    out.extend_from_slice(br#","Counts":"#);
    array(out, values.iter().map(|each| each.count), write::integer);
    out.push(b'}');
    if plain > 0 && plain <= out.len() - start - plain {
        out.truncate(start + plain);
    } else {
        out.drain(start..start + plain);
    }
}

fn array<T>(out: &mut Vec<u8>, items: impl Iterator<Item = T>, write: fn(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// The largest integer up to which all are doubles: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes an integer without a fraction.
fn number(out: &mut Vec<u8>, value: f64) {
    let whole = value as i64;
    if whole as f64 != value || value.abs() > EXACT {
        write::float(out, value);
    } else if let 0..10 = whole {
        // Most counts are 1.
        out.push(b'0' + whole as u8);
    } else {
        write::integer(out, whole);
    }
}
