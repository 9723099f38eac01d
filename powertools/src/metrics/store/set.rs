//! The values of one map of dimensions.

use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;

use crate::json::write::{JSON, quoted};
use crate::metrics::labels::{Labels, Text};
use crate::metrics::limits;
use crate::metrics::problem::{Kind, Problems};
use crate::metrics::settings::Settings;
use crate::metrics::unit::Definition;
use crate::metrics::value::Observation;

/// Values that share their dimensions, properties and timestamp, and so their line.
#[derive(Debug, Default)]
pub(in crate::metrics) struct Set {
    /// What is between the timestamp and the first metric, with the names of the dimensions:
    /// `,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["stage","service"]],"Metrics":[`.
    pub(in crate::metrics) head: Vec<u8>,
    /// What follows the last metric, with the dimensions: `]}]},"stage":"prod","service":"orders"`.
    pub(in crate::metrics) members: Vec<u8>,
    pub(in crate::metrics) dimensions: Vec<Text>,
    /// The properties that the rest of the event does not have.
    pub(in crate::metrics) properties: Vec<(Text, String)>,
    /// In milliseconds since the epoch, if it is not that of the writing.
    pub(in crate::metrics) timestamp: Option<u64>,
    /// It has nothing of its own, but only what is set in code.
    is_plain: bool,
    /// Those without values are known from before, and are not written.
    pub(in crate::metrics) series: Vec<Series>,
    /// How many of them have values.
    measured: usize,
    /// Which of them comes next, if they come in the order of the line before.
    next: usize,
    /// The hashes of the names in `series`, in the same order.
    hashes: Vec<u32>,
    /// The head, those of all `series`, and the members; empty before it is needed.
    joined: Vec<u8>,
}

/// The values of one metric.
#[derive(Debug, Default)]
pub(in crate::metrics) struct Series {
    pub(in crate::metrics) name: Text,
    definition: Definition,
    /// The name and the definition as JSON: `,{"Name":"Charge","Unit":"Milliseconds"}`.
    pub(in crate::metrics) head: Vec<u8>,
    /// The name as that of a member: `,"Charge":`.
    pub(in crate::metrics) member: Vec<u8>,
    /// In the order in which they came first.
    pub(in crate::metrics) values: Vec<Counted>,
    /// Where in `values` each one is, by its bits; once there are more than are on a line.
    places: Option<HashMap<u64, usize>>,
}

/// A value, and how often it came.
#[derive(Clone, Copy, Debug)]
pub(in crate::metrics) struct Counted {
    pub(in crate::metrics) value: f64,
    pub(in crate::metrics) count: u64,
}

/// What is to be added.
#[derive(Debug)]
pub(in crate::metrics) struct Entry<I> {
    pub(in crate::metrics) name: Text,
    pub(in crate::metrics) definition: Definition,
    pub(in crate::metrics) values: I,
    /// A count is not negative.
    pub(in crate::metrics) is_count: bool,
}

impl<I: Iterator<Item = Observation>> Entry<I> {
    /// Returns the same for code that is compiled once for all kinds of values.
    pub(in crate::metrics) fn erased(&mut self) -> Entry<&mut dyn Iterator<Item = Observation>> {
        let Self { name, definition, values, is_count } = self;
        let (name, definition) = (std::mem::take(name), *definition);
        Entry { name, definition, values, is_count: *is_count }
    }
}

impl Set {
    /// Becomes the set, without values, of what is set in code and in `labels`, of which later ones
    /// take precedence.
    pub(in crate::metrics) fn describe<'a>(
        &mut self,
        settings: &'a Settings,
        labels: impl IntoIterator<Item = &'a Labels>,
        timestamp: Option<u64>,
        problems: &mut Problems,
    ) {
        let mut dimensions: Vec<(&Text, &str)> = Vec::with_capacity(8);
        let mut dropped: Vec<&Text> = Vec::new();
        let mut has_service = false;
        let mut put = |name: &'a Text, value: &'a str| match dimensions
            .iter_mut()
            .find(|(known, _)| *known == name)
        {
            Some((_, known)) => *known = value,
            None => {
                has_service |= name == SERVICE;
                let of_service = usize::from(settings.service.is_some() && !has_service);
                if dimensions.len() + of_service < limits::DIMENSIONS {
                    dimensions.push((name, value));
                } else {
                    dropped.push(name);
                }
            }
        };
        for dimension in &settings.dimensions {
            put(&dimension.name, &dimension.value);
        }
        self.properties.clear();
        self.is_plain = timestamp.is_none();
        for labels in labels {
            self.is_plain &= labels.is_empty();
            for (name, value) in &labels.dimensions {
                put(name, value);
            }
            for (name, value) in &labels.properties {
                match self.properties.iter_mut().find(|(known, _)| known == name) {
                    Some((_, known)) => known.clone_from(value),
                    None => self.properties.push((name.clone(), value.clone())),
                }
            }
        }
        for name in dropped {
            problems.push(Kind::TooManyDimensions, name);
        }
        if let Some(service) = &settings.service
            && !has_service
        {
            dimensions.push((&SERVICE_NAME, service));
        }
        self.joined.clear();
        self.head.clear();
        self.head.extend_from_slice(&settings.head);
        self.members.clear();
        self.members.extend_from_slice(b"]}]}");
        self.dimensions.clear();
        for (index, (name, value)) in dimensions.into_iter().enumerate() {
            if index > 0 {
                self.head.push(b',');
            }
            quoted(&mut self.head, name, &JSON);
            self.members.push(b',');
            quoted(&mut self.members, name, &JSON);
            self.members.push(b':');
            quoted(&mut self.members, value, &JSON);
            self.dimensions.push(name.clone());
        }
        self.head.extend_from_slice(br#"]],"Metrics":["#);
        self.timestamp = timestamp;
        // What is kept from other dimensions may have one of these as its name.
        if self.series.iter().any(|series| self.dimensions.contains(&series.name)) {
            self.forget();
        }
    }

    /// Returns true if values of both belong on one line.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.head == other.head
            && self.members == other.members
            && self.timestamp == other.timestamp
            && self.properties == other.properties
    }

    /// Adds values, and returns true if the set has to be written.
    #[inline]
    pub(in crate::metrics) fn add(
        &mut self,
        entry: &mut Entry<impl Iterator<Item = Observation>>,
        problems: &mut Problems,
    ) -> bool {
        let Entry { name, definition, values, is_count } = entry;
        let (definition, known) = (*definition, self.series.len());
        let found = self.find(name).or_else(|| self.know(name, definition, problems));
        let Some(index) = found else { return false };
        self.next = if index + 1 < self.series.len() { index + 1 } else { 0 };
        let series = &mut self.series[index];
        let is_first = series.values.is_empty();
        if series.definition != definition {
            if !is_first {
                problems.push(Kind::UnitChanges, &series.name);
                return false;
            }
            series.define(definition);
            self.joined.clear();
        }
        for value in values {
            match number(value, definition, *is_count) {
                Ok(value) => series.add(value),
                Err(kind) => problems.push(kind, &series.name),
            }
        }
        let count = series.values.len();
        if is_first {
            if count > 0 {
                self.measured += 1;
            } else if self.series.len() > known {
                self.forget_last();
            }
        }
        count >= limits::VALUES || self.measured >= limits::METRICS
    }

    /// Adds a metric without values.
    #[cold]
    fn know(
        &mut self,
        name: &mut Text,
        definition: Definition,
        problems: &mut Problems,
    ) -> Option<usize> {
        if limits::metric_name(name).is_some() {
            problems.push(Kind::MetricName, name);
            return None;
        }
        if self.dimensions.contains(name) {
            problems.push(Kind::NameIsDimension, name);
            return None;
        }
        self.hashes.push(hash(name));
        let mut series = Series { name: std::mem::take(name), ..Series::default() };
        series.define(definition);
        self.series.push(series);
        self.joined.clear();
        Some(self.series.len() - 1)
    }

    /// Removes a metric that has been added in vain.
    #[cold]
    fn forget_last(&mut self) {
        self.hashes.pop();
        self.series.pop();
    }

    /// Returns where a metric is: most events have the same ones in the same order, with names that are
    /// the same strings of the program.
    #[inline]
    fn find(&self, name: &str) -> Option<usize> {
        match self.series.get(self.next) {
            Some(series) if std::ptr::eq(&*series.name, name) => Some(self.next),
            _ => self.search(name),
        }
    }

    fn search(&self, name: &str) -> Option<usize> {
        let hash = hash(name);
        let mut hashes = self.hashes.iter().enumerate();
        hashes
            .find(|&(index, &known)| known == hash && self.series[index].name == name)
            .map(|(i, _)| i)
    }

    /// Returns true if all known metrics have values.
    pub(super) fn is_whole(&self) -> bool {
        self.measured == self.series.len()
    }

    /// Returns all that is between the timestamp and the properties where the line is that of all known
    /// metrics.
    #[inline]
    pub(super) fn joined(&mut self) -> &[u8] {
        let Self { head, series, members, joined, .. } = self;
        if joined.is_empty() {
            joined.extend_from_slice(head);
            heads(joined, series.iter());
            joined.extend_from_slice(members);
        }
        joined
    }

    /// Returns true if it is the one of all events that set neither dimensions nor properties.
    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Lets it not be kept for later events.
    pub(super) fn forget_plain(&mut self) {
        self.is_plain = false;
    }

    /// Returns true if there is a value.
    pub(super) fn has_values(&self) -> bool {
        self.measured > 0
    }

    /// Removes the values. The metrics that had some are still known, unless these are many.
    pub(super) fn clear(&mut self) {
        if !self.is_whole() || self.measured > KNOWN {
            self.forget_others();
        }
        (self.measured, self.next) = (0, 0);
        self.series.iter_mut().for_each(Series::clear);
    }

    /// Removes the metrics without values, and those that are too many.
    #[cold]
    fn forget_others(&mut self) {
        self.series.retain(|series| !series.values.is_empty());
        self.series.truncate(KNOWN);
        self.hashes.clear();
        self.hashes.extend(self.series.iter().map(|series| hash(&series.name)));
        self.joined.clear();
    }

    /// Keeps no more of its memory than most sets need.
    pub(super) fn shrink(&mut self) {
        self.properties.clear();
        for buffer in [&mut self.head, &mut self.members, &mut self.joined] {
            buffer.clear();
            buffer.shrink_to(SPARE_BYTES);
        }
    }

    /// Removes the metrics.
    fn forget(&mut self) {
        (self.measured, self.next) = (0, 0);
        self.series.clear();
        self.hashes.clear();
        self.joined.clear();
    }
}

/// Writes the heads of metrics.
pub(super) fn heads<'a>(out: &mut Vec<u8>, series: impl Iterator<Item = &'a Series>) {
    for (index, series) in series.enumerate() {
        out.extend_from_slice(&series.head[usize::from(index == 0)..]);
    }
}

/// How many metrics a set knows after it was written: their names need not be checked and escaped
/// again.
const KNOWN: usize = 32;

/// How many bytes of what is around its values a set keeps for the next invocation.
const SPARE_BYTES: usize = 4 * 1024;

impl Series {
    /// Adds a value. There can be any number, of one call or of one wide line.
    #[inline]
    fn add(&mut self, value: f64) {
        let known = match self.values.len() {
            ..=limits::VALUES => self.values.iter_mut().find(|known| known.value == value),
            _ => self.place(value).map(|index| &mut self.values[index]),
        };
        match known {
            Some(known) => known.count += 1,
            None => self.values.push(Counted { value, count: 1 }),
        }
    }

    /// Returns where a value is, or notes that it will be the last one.
    #[cold]
    fn place(&mut self, value: f64) -> Option<usize> {
        // Zero is the same with either sign.
        let bits = |value: f64| (value + 0.0).to_bits();
        let Self { values, places, .. } = self;
        let known = || values.iter().enumerate().map(|(index, known)| (bits(known.value), index));
        match places.get_or_insert_with(|| known().collect()).entry(bits(value)) {
            MapEntry::Occupied(place) => Some(*place.get()),
            MapEntry::Vacant(place) => {
                place.insert(values.len());
                None
            }
        }
    }

    /// Removes the values.
    #[inline]
    fn clear(&mut self) {
        self.values.clear();
        if self.values.capacity() > limits::VALUES {
            self.shrink();
        }
    }

    /// Keeps no more memory than most lines need.
    #[cold]
    fn shrink(&mut self) {
        self.values.shrink_to(limits::VALUES);
        self.places = None;
    }

    fn define(&mut self, definition: Definition) {
        self.definition = definition;
        self.member.clear();
        self.member.push(b',');
        quoted(&mut self.member, &self.name, &JSON);
        self.head.clear();
        self.head.extend_from_slice(br#",{"Name":"#);
        self.head.extend_from_slice(&self.member[1..]);
        self.member.push(b':');
        self.head.extend_from_slice(br#","Unit":""#);
        self.head.extend_from_slice(definition.unit.as_str().as_bytes());
        self.head.push(b'"');
        if definition.is_high_resolution {
            self.head.extend_from_slice(br#","StorageResolution":1"#);
        }
        self.head.push(b'}');
    }
}

const SERVICE: &str = "service";
static SERVICE_NAME: Text = Text::Borrowed(SERVICE);

/// The value as CloudWatch takes it.
#[inline]
fn number(value: Observation, definition: Definition, is_count: bool) -> Result<f64, Kind> {
    let value = value.in_unit(definition.unit).ok_or(Kind::NotATime)?;
    if value.abs() <= limits::VALUE && (!is_count || value >= 0.0) {
        return Ok(value);
    }
    Err(match value {
        _ if !value.is_finite() => Kind::NotFinite,
        _ if value.abs() > limits::VALUE => Kind::TooLarge,
        _ => Kind::NegativeCount,
    })
}

/// Tells most names apart, by their lengths and ends: which of them is the same is compared after that.
#[inline]
fn hash(name: &str) -> u32 {
    let bytes = name.as_bytes();
    let ends = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29)
        }
        _ => bytes.iter().fold(0, |ends, byte| ends << 8 | u64::from(*byte)),
    };
    // The constant is that of Fibonacci hashing, 2^64 by the golden ratio.
    ((ends ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_long_once_is_not_kept() {
        let mut set = Set::default();
        let mut problems = Problems::default();
        let values = (0..50_000).map(|value| Observation::Number(value.into()));
        let definition = Definition::default();
        let mut entry = Entry { name: "Latency".into(), definition, values, is_count: false };
        set.add(&mut entry, &mut problems);
        set.properties.push(("note".into(), "n".repeat(500_000)));
        set.members.resize(500_000, b' ');
        set.clear();
        set.shrink();
        let [series] = &set.series[..] else { panic!("the name is still known: {set:?}") };
        let values = series.values.capacity();
        assert!(values <= 2 * limits::VALUES, "{values}");
        assert!(set.members.capacity() <= 2 * SPARE_BYTES && set.properties.is_empty());
    }
}
