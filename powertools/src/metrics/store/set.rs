//! The values of one map of dimensions.

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
    /// The names of the dimensions as JSON: `"stage","service"`.
    pub(in crate::metrics) references: Vec<u8>,
    /// The dimensions as JSON: `,"stage":"prod","service":"orders"`.
    pub(in crate::metrics) members: Vec<u8>,
    pub(in crate::metrics) dimensions: Vec<Text>,
    /// The properties that the rest of the event does not have.
    pub(in crate::metrics) properties: Vec<(Text, String)>,
    /// In milliseconds since the epoch, if it is not that of the writing.
    pub(in crate::metrics) timestamp: Option<u64>,
    pub(in crate::metrics) series: Vec<Series>,
    /// The hashes of the names in `series`, in the same order.
    hashes: Vec<u32>,
}

/// The values of one metric.
#[derive(Debug, Default)]
pub(in crate::metrics) struct Series {
    pub(in crate::metrics) name: Text,
    pub(in crate::metrics) definition: Definition,
    /// Each value once, in the order in which it came first.
    pub(in crate::metrics) values: Vec<f64>,
    /// How often each of `values` came.
    pub(in crate::metrics) counts: Vec<u64>,
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
        for labels in labels {
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
        self.references.clear();
        self.members.clear();
        self.dimensions.clear();
        for (index, (name, value)) in dimensions.into_iter().enumerate() {
            if index > 0 {
                self.references.push(b',');
            }
            quoted(&mut self.references, name, &JSON);
            self.members.push(b',');
            quoted(&mut self.members, name, &JSON);
            self.members.push(b':');
            quoted(&mut self.members, value, &JSON);
            self.dimensions.push(name.clone());
        }
        self.timestamp = timestamp;
    }

    /// Returns true if values of both belong on one line.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.members == other.members
            && self.timestamp == other.timestamp
            && self.properties == other.properties
    }

    /// Adds values, and returns true if the set has to be written.
    #[inline]
    pub(in crate::metrics) fn add(
        &mut self,
        entry: Entry<impl Iterator<Item = Observation>>,
        spare: &mut Vec<Series>,
        problems: &mut Problems,
    ) -> bool {
        let Entry { name, definition, values, is_count } = entry;
        let hash = hash(&name);
        let known = self.find(hash, &name);
        let series = match known {
            Some(index) => &mut self.series[index],
            None => {
                if limits::metric_name(&name).is_some() {
                    problems.push(Kind::MetricName, &name);
                    return false;
                }
                if self.dimensions.contains(&name) {
                    problems.push(Kind::NameIsDimension, &name);
                    return false;
                }
                let mut series = spare.pop().unwrap_or_default();
                (series.name, series.definition) = (name, definition);
                self.series.push(series);
                self.hashes.push(hash);
                self.series.last_mut().expect("it was pushed")
            }
        };
        if series.definition != definition {
            problems.push(Kind::UnitChanges, &series.name);
            return false;
        }
        for value in values {
            match number(value, definition, is_count) {
                Ok(value) => series.add(value),
                Err(kind) => problems.push(kind, &series.name),
            }
        }
        let is_full = series.values.len() >= limits::VALUES;
        if known.is_none() && series.values.is_empty() {
            self.hashes.pop();
            spare.extend(self.series.pop());
        }
        is_full || self.series.len() >= limits::METRICS
    }

    #[inline]
    fn find(&self, hash: u32, name: &str) -> Option<usize> {
        let mut hashes = self.hashes.iter().enumerate();
        hashes
            .find(|&(index, &known)| known == hash && self.series[index].name == name)
            .map(|(i, _)| i)
    }

    /// Removes the values. Their memory is kept in `spare`.
    pub(super) fn clear(&mut self, spare: &mut Vec<Series>) {
        self.hashes.clear();
        spare.extend(self.series.drain(..).map(Series::cleared));
    }
}

impl Series {
    #[inline]
    fn add(&mut self, value: f64) {
        match self.values.iter().position(|known| *known == value) {
            Some(index) => self.counts[index] += 1,
            None => {
                self.values.push(value);
                self.counts.push(1);
            }
        }
    }

    fn cleared(mut self) -> Self {
        self.values.clear();
        self.counts.clear();
        self
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

/// FNV-1a: names are short.
#[inline]
fn hash(name: &str) -> u32 {
    let mut hash = 0x811c_9dc5u32;
    for byte in name.bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    hash
}
